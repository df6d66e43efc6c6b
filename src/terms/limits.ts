/** Every limit has one home, a name and a unit. Over a limit is an error that names it; nothing is cut silently. */
export const LIMITS = {
  tagsPerCall: 64,
  tagKeyChars: 64,
  tagValueChars: 256,
  pathDepth: 8,
  sessionIdChars: 256,
  requestBodyBytes: 32 * 1024 * 1024,
  heldAnswerBytes: 8 * 1024 * 1024,
  streamEventBytes: 8 * 1024 * 1024,
  batchLineBytes: 64 * 1024 * 1024,
  jsonDepth: 256,
  journalSegmentBytes: 256 * 1024 * 1024,
  journalQueueEntries: 100_000,
  shipmentEntries: 15_000,
  shipmentBytes: 24 * 1024 * 1024,
} as const;
