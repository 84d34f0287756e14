// Time zone abbreviations of PostgreSQL 15's default set (timezonesets/Default): A(lower-case name, seconds east, daylight)
// for fixed ones, Z(name, zone) for those whose offset is the zone's at the time in question. Ordered by name.
#ifndef OMENDB_ZONE_ABBREVIATIONS
#define OMENDB_ZONE_ABBREVIATIONS(A, Z) \
  A("acdt", 37800, true) \
  A("acsst", 37800, true) \
  A("acst", 34200, false) \
  A("act", -18000, false) \
  A("acwst", 31500, false) \
  A("adt", -10800, true) \
  A("aedt", 39600, true) \
  A("aesst", 39600, true) \
  A("aest", 36000, false) \
  A("aft", 16200, false) \
  A("akdt", -28800, true) \
  A("akst", -32400, false) \
  A("almst", 25200, true) \
  A("almt", 21600, false) \
  Z("amst", "Asia/Yerevan") \
  A("amt", -14400, false) \
  Z("anast", "Asia/Anadyr") \
  Z("anat", "Asia/Anadyr") \
  Z("arst", "America/Argentina/Buenos_Aires") \
  Z("art", "America/Argentina/Buenos_Aires") \
  A("ast", -14400, false) \
  A("awsst", 32400, true) \
  A("awst", 28800, false) \
  A("azost", 0, true) \
  A("azot", -3600, false) \
  Z("azst", "Asia/Baku") \
  Z("azt", "Asia/Baku") \
  A("bdst", 7200, true) \
  A("bdt", 21600, false) \
  A("bnt", 28800, false) \
  A("bort", 28800, false) \
  A("bot", -14400, false) \
  A("bra", -10800, false) \
  A("brst", -7200, true) \
  A("brt", -10800, false) \
  A("bst", 3600, true) \
  A("btt", 21600, false) \
  A("cadt", 37800, true) \
  A("cast", 34200, false) \
  A("cct", 28800, false) \
  A("cdt", -18000, true) \
  A("cest", 7200, true) \
  A("cet", 3600, false) \
  A("cetdst", 7200, true) \
  A("chadt", 49500, true) \
  A("chast", 45900, false) \
  A("chut", 36000, false) \
  Z("ckt", "Pacific/Rarotonga") \
  A("clst", -10800, true) \
  Z("clt", "America/Santiago") \
  A("cot", -18000, false) \
  A("cst", -21600, false) \
  A("cxt", 25200, false) \
  Z("davt", "Antarctica/Davis") \
  A("ddut", 36000, false) \
  Z("easst", "Pacific/Easter") \
  Z("east", "Pacific/Easter") \
  A("eat", 10800, false) \
  A("edt", -14400, true) \
  A("eest", 10800, true) \
  A("eet", 7200, false) \
  A("eetdst", 10800, true) \
  A("egst", 0, true) \
  A("egt", -3600, false) \
  A("est", -18000, false) \
  A("fet", 10800, false) \
  A("fjst", 46800, true) \
  A("fjt", 43200, false) \
  Z("fkst", "Atlantic/Stanley") \
  Z("fkt", "Atlantic/Stanley") \
  A("fnst", -3600, true) \
  A("fnt", -7200, false) \
  A("galt", -21600, false) \
  A("gamt", -32400, false) \
  Z("gest", "Asia/Tbilisi") \
  Z("get", "Asia/Tbilisi") \
  A("gft", -10800, false) \
  A("gilt", 43200, false) \
  A("gmt", 0, false) \
  Z("gyt", "America/Guyana") \
  A("hkt", 28800, false) \
  A("hst", -36000, false) \
  A("ict", 25200, false) \
  A("idt", 10800, true) \
  Z("iot", "Indian/Chagos") \
  Z("irkst", "Asia/Irkutsk") \
  Z("irkt", "Asia/Irkutsk") \
  A("irt", 12600, false) \
  A("ist", 7200, false) \
  A("jayt", 32400, false) \
  A("jst", 32400, false) \
  A("kdt", 36000, true) \
  A("kgst", 21600, true) \
  Z("kgt", "Asia/Bishkek") \
  Z("kost", "Pacific/Kosrae") \
  Z("krast", "Asia/Krasnoyarsk") \
  Z("krat", "Asia/Krasnoyarsk") \
  A("kst", 32400, false) \
  Z("lhdt", "Australia/Lord_Howe") \
  A("lhst", 37800, false) \
  A("ligt", 36000, false) \
  Z("lint", "Pacific/Kiritimati") \
  Z("lkt", "Asia/Colombo") \
  Z("magst", "Asia/Magadan") \
  Z("magt", "Asia/Magadan") \
  A("mart", -34200, false) \
  Z("mawt", "Antarctica/Mawson") \
  A("mdt", -21600, true) \
  A("mest", 7200, true) \
  A("mesz", 7200, true) \
  A("met", 3600, false) \
  A("metdst", 7200, true) \
  A("mez", 3600, false) \
  A("mht", 43200, false) \
  A("mmt", 23400, false) \
  A("mpt", 36000, false) \
  A("msd", 14400, true) \
  Z("msk", "Europe/Moscow") \
  A("mst", -25200, false) \
  A("must", 18000, true) \
  A("mut", 14400, false) \
  A("mvt", 18000, false) \
  A("myt", 28800, false) \
  A("ndt", -9000, true) \
  A("nft", -12600, false) \
  Z("novst", "Asia/Novosibirsk") \
  Z("novt", "Asia/Novosibirsk") \
  A("npt", 20700, false) \
  A("nst", -12600, false) \
  Z("nut", "Pacific/Niue") \
  A("nzdt", 46800, true) \
  A("nzst", 43200, false) \
  A("nzt", 43200, false) \
  Z("omsst", "Asia/Omsk") \
  Z("omst", "Asia/Omsk") \
  A("pdt", -25200, true) \
  A("pet", -18000, false) \
  Z("petst", "Asia/Kamchatka") \
  Z("pett", "Asia/Kamchatka") \
  A("pgt", 36000, false) \
  A("pht", 28800, false) \
  A("pkst", 21600, true) \
  A("pkt", 18000, false) \
  A("pmdt", -7200, true) \
  A("pmst", -10800, false) \
  A("pont", 39600, false) \
  A("pst", -28800, false) \
  A("pwt", 32400, false) \
  A("pyst", -10800, true) \
  Z("pyt", "America/Asuncion") \
  A("ret", 14400, false) \
  A("sadt", 37800, true) \
  A("sast", 7200, false) \
  A("sct", 14400, false) \
  Z("sgt", "Asia/Singapore") \
  A("taht", -36000, false) \
  A("tft", 18000, false) \
  A("tjt", 18000, false) \
  Z("tkt", "Pacific/Fakaofo") \
  Z("tmt", "Asia/Ashgabat") \
  A("tot", 46800, false) \
  A("trut", 36000, false) \
  A("tvt", 43200, false) \
  A("uct", 0, false) \
  A("ulast", 32400, true) \
  Z("ulat", "Asia/Ulaanbaatar") \
  A("ut", 0, false) \
  A("utc", 0, false) \
  A("uyst", -7200, true) \
  A("uyt", -10800, false) \
  A("uzst", 21600, true) \
  A("uzt", 18000, false) \
  Z("vet", "America/Caracas") \
  Z("vlast", "Asia/Vladivostok") \
  Z("vlat", "Asia/Vladivostok") \
  Z("volt", "Europe/Volgograd") \
  A("vut", 39600, false) \
  A("wadt", 28800, true) \
  A("wakt", 43200, false) \
  A("wast", 25200, false) \
  A("wat", 3600, false) \
  A("wdt", 32400, true) \
  A("wet", 0, false) \
  A("wetdst", 3600, true) \
  A("wft", 43200, false) \
  A("wgst", -7200, true) \
  A("wgt", -10800, false) \
  A("xjt", 21600, false) \
  Z("yakst", "Asia/Yakutsk") \
  Z("yakt", "Asia/Yakutsk") \
  A("yapt", 36000, false) \
  A("yekst", 21600, true) \
  Z("yekt", "Asia/Yekaterinburg") \
  A("z", 0, false) \
  A("zulu", 0, false) \
  /* end */
#endif
