#include "table/moved_rows.h"

#include <gtest/gtest.h>

namespace omendb::table {
namespace {

using Kind = MovedRows::Found::Kind;
constexpr StorageId kOne{100}, kOther{101};

void commit(MovedRows& rows, uint64_t commit_ts, OwnMoves& own) { rows.commit(Timestamp(commit_ts), own.take()); }

TEST(MovedRows, ARowIsFollowedStepByStepFromWhatASnapshotSaw) {
  MovedRows rows;
  OwnMoves own;
  own.add(kOne, "a", "b", 1);
  own.add(kOne, "b", "c", 3);
  commit(rows, 10, own);
  own.add(kOne, "c", "a", 1);
  commit(rows, 12, own);

  auto found = rows.after(kOne, "a", {Timestamp(9)});
  ASSERT_EQ(found.kind, Kind::kMoved);
  EXPECT_EQ(found.to, "b");
  found = rows.after(kOne, found.to, found.at);
  ASSERT_EQ(found.kind, Kind::kMoved);
  EXPECT_EQ(found.to, "c");
  found = rows.after(kOne, found.to, found.at);
  ASSERT_EQ(found.kind, Kind::kMoved);
  EXPECT_EQ(found.to, "a");
  EXPECT_EQ(rows.after(kOne, found.to, found.at).kind, Kind::kNone);

  EXPECT_EQ(rows.after(kOne, "a", {Timestamp(10)}).kind, Kind::kNone);  // the snapshot saw the commit
  EXPECT_EQ(rows.after(kOther, "a", {Timestamp(9)}).kind, Kind::kNone);
}

TEST(MovedRows, WhoTookTheKeyOfADeletedRowIsAnotherRow) {
  MovedRows rows;
  OwnMoves own;
  own.add(kOne, "a", "b", 1);
  own.add(kOne, "a", "", 3);
  commit(rows, 10, own);
  own.add(kOne, "a", "", 1);
  commit(rows, 11, own);
  EXPECT_EQ(rows.after(kOne, "a", {Timestamp(9)}).kind, Kind::kMoved);
  EXPECT_EQ(rows.after(kOne, "a", {Timestamp(10)}).kind, Kind::kGone);
}

TEST(MovedRows, WhatASavepointUndidNeverMoved) {
  MovedRows rows;
  OwnMoves own;
  own.add(kOne, "a", "b", 1);
  own.add(kOne, "c", "d", 5);
  own.rollback_to(5);
  commit(rows, 10, own);
  EXPECT_EQ(rows.after(kOne, "a", {Timestamp(9)}).kind, Kind::kMoved);
  EXPECT_EQ(rows.after(kOne, "c", {Timestamp(9)}).kind, Kind::kNone);
}

TEST(MovedRows, NothingIsKeptThatNoSnapshotCanAskFor) {
  MovedRows rows;
  OwnMoves own;
  for (uint64_t ts = 10; ts < 20; ++ts) {
    own.add(kOne, std::to_string(ts), "moved", 1);
    own.add(kOne, "same", "moved", 2);
    commit(rows, ts, own);
  }
  EXPECT_EQ(rows.size(), 20u);
  rows.forget(Timestamp(14));
  EXPECT_EQ(rows.size(), 10u);
  EXPECT_EQ(rows.after(kOne, "14", {Timestamp(14)}).kind, Kind::kNone);
  EXPECT_EQ(rows.after(kOne, "same", {Timestamp(14)}).kind, Kind::kMoved);
  rows.forget(Timestamp(19));
  EXPECT_EQ(rows.size(), 0u);
}

TEST(MovedRows, MoreThanIsRememberedIsUnknownAndNotUnmoved) {
  MovedRows rows;
  OwnMoves own;
  const int many = 100'000;
  for (int i = 0; i < many; ++i) own.add(kOne, std::to_string(i), "moved", static_cast<uint64_t>(i));
  commit(rows, 10, own);
  EXPECT_LT(rows.size(), static_cast<size_t>(many));
  EXPECT_EQ(rows.after(kOne, std::to_string(many - 1), {Timestamp(9)}).kind, Kind::kUnknown);
  EXPECT_EQ(rows.after(kOne, std::to_string(many - 1), {Timestamp(10)}).kind, Kind::kNone);

  for (uint64_t ts = 11; ts < 20; ++ts) {
    for (int i = 0; i < 60'000; ++i) own.add(kOther, std::to_string(i), "moved", static_cast<uint64_t>(i));
    commit(rows, ts, own);
  }
  EXPECT_EQ(rows.after(kOther, "1", {Timestamp(10)}).kind, Kind::kUnknown);
  EXPECT_EQ(rows.after(kOther, "1", {Timestamp(18)}).kind, Kind::kMoved);
}

}  // namespace
}  // namespace omendb::table
