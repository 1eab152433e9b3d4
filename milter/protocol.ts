/**
 * The constants of the milter protocol, versions 2 to 6, named as in sendmail's libmilter/mfdef.h and mfapi.h.
 * There is no RFC: sendmail's headers and Postfix's src/milter/milter8.c are the two texts that count.
 */

/** Commands, MTA to milter (mfdef.h SMFIC_*). */
export const SMFIC = {
  ABORT: 'A',
  BODY: 'B',
  CONNECT: 'C',
  MACRO: 'D',
  BODYEOB: 'E',
  HELO: 'H',
  QUIT_NC: 'K',
  HEADER: 'L',
  MAIL: 'M',
  EOH: 'N',
  OPTNEG: 'O',
  QUIT: 'Q',
  RCPT: 'R',
  DATA: 'T',
  UNKNOWN: 'U',
} as const;

/** Replies, milter to MTA (mfdef.h SMFIR_*). The answer to OPTNEG is an OPTNEG. */
export const SMFIR = {
  ADDRCPT: '+',
  DELRCPT: '-',
  ADDRCPT_PAR: '2',
  SHUTDOWN: '4',
  ACCEPT: 'a',
  REPLBODY: 'b',
  CONTINUE: 'c',
  DISCARD: 'd',
  CHGFROM: 'e',
  CONN_FAIL: 'f',
  ADDHEADER: 'h',
  INSHEADER: 'i',
  CHGHEADER: 'm',
  OPTNEG: 'O',
  PROGRESS: 'p',
  QUARANTINE: 'q',
  REJECT: 'r',
  SKIP: 's',
  TEMPFAIL: 't',
  REPLYCODE: 'y',
} as const;

/** Actions a milter may ask for (mfapi.h SMFIF_*). */
export const SMFIF = {
  ADDHDRS: 0x01,
  CHGBODY: 0x02,
  ADDRCPT: 0x04,
  DELRCPT: 0x08,
  CHGHDRS: 0x10,
  QUARANTINE: 0x20,
  CHGFROM: 0x40,
  ADDRCPT_PAR: 0x80,
  SETSYMLIST: 0x100,
} as const;

/** Steps: what the MTA need not send, need not wait for, and may do (mfdef.h SMFIP_*). There is no 8-bit flag: values are bytes. */
export const SMFIP = {
  NOCONNECT: 0x01,
  NOHELO: 0x02,
  NOMAIL: 0x04,
  NORCPT: 0x08,
  NOBODY: 0x10,
  NOHDRS: 0x20,
  NOEOH: 0x40,
  NR_HDR: 0x80,
  NOUNKNOWN: 0x100,
  NODATA: 0x200,
  SKIP: 0x400,
  RCPT_REJ: 0x800,
  NR_CONN: 0x1000,
  NR_HELO: 0x2000,
  NR_MAIL: 0x4000,
  NR_RCPT: 0x8000,
  NR_DATA: 0x10000,
  NR_UNKN: 0x20000,
  NR_EOH: 0x40000,
  NR_BODY: 0x80000,
  HDR_LEADSPC: 0x100000,
  MDS_256K: 0x10000000,
  MDS_1M: 0x20000000,
} as const;

/** Stages for which a milter may name the macros it wants (mfapi.h SMFIM_*). */
export const SMFIM = {
  connect: 0,
  helo: 1,
  mail: 2,
  rcpt: 3,
  data: 4,
  endOfMessage: 5,
  endOfHeaders: 6,
} as const;

export type MacroStage = keyof typeof SMFIM;

/** Address families in SMFIC_CONNECT (mfdef.h SMFIA_*). */
export const SMFIA = { unknown: 'U', unix: 'L', inet: '4', inet6: '6' } as const;

/** SMFI_PROT_VERSION_MIN and SMFI_PROT_VERSION (mfdef.h). */
export const VERSION_MIN = 2;
export const VERSION_MAX = 6;

/** MILTER_CHUNK_SIZE: the most body bytes in one packet unless a larger size was negotiated. */
export const CHUNK_SIZE = 65_535;

/** MILTER_MDS_*: data bytes in one packet. */
export const DATA_SIZE = { '64K': 65_535, '256K': 262_143, '1M': 1_048_575 } as const;
export type DataSize = keyof typeof DATA_SIZE;

/** What a packet may hold above its data size: a name, NULs. (Postfix 3.7 cuts a header field off before 60,000 bytes.) */
export const PACKET_SLACK = 4_096;

/** The stages that a handler can implement, with the flags that leave one out and that give it no reply. */
export const STAGE_STEPS = {
  connect: { omit: SMFIP.NOCONNECT, silent: SMFIP.NR_CONN },
  helo: { omit: SMFIP.NOHELO, silent: SMFIP.NR_HELO },
  mail: { omit: SMFIP.NOMAIL, silent: SMFIP.NR_MAIL },
  rcpt: { omit: SMFIP.NORCPT, silent: SMFIP.NR_RCPT },
  data: { omit: SMFIP.NODATA, silent: SMFIP.NR_DATA },
  unknown: { omit: SMFIP.NOUNKNOWN, silent: SMFIP.NR_UNKN },
  header: { omit: SMFIP.NOHDRS, silent: SMFIP.NR_HDR },
  endOfHeaders: { omit: SMFIP.NOEOH, silent: SMFIP.NR_EOH },
  body: { omit: SMFIP.NOBODY, silent: SMFIP.NR_BODY },
  /** Always sent, always answered. */
  endOfMessage: { omit: 0, silent: 0 },
} as const;

export type Stage = keyof typeof STAGE_STEPS;
