/** What the doctor holds a data directory to, and what to do where it does not hold. Ids are for machines and stay. */
export const RULES = {
  'journal.files': {
    says: 'every file of the journal is there and belongs to this node',
    todo: 'Restore the file from a backup. Nothing else can bring its entries back.',
  },
  'journal.chain': {
    says: 'every frame is what was written, and each file goes on where the one before it ended',
    todo: 'Keep the journal folder as it is and restore the file from a backup. The store may still have the entries: do not rebuild it.',
  },
  'journal.sequence': {
    says: 'entries are numbered without a gap',
    todo: 'Restore the journal from a backup. The store may still have the missing entries: do not rebuild it.',
  },
  'journal.mark': {
    says: 'what was acknowledged as synced is there',
    todo: 'Restore the newest file of the journal from a backup: calls were answered whose entries are gone.',
  },
  'journal.attempts': {
    says: 'no attempt is begun twice, taken back twice, or open for longer than a call may take',
    todo: 'Restart the server: attempts without an end become in_doubt entries, with their money at risk.',
  },
  'entry.fields': {
    says: 'every entry can be read and each field has its type',
    todo: 'Report this with the entry: it was written by a fault of Apportion. Its money is not in the sums below.',
  },
  'entry.identity': {
    says: 'an entry is named after its call, attempt, kind and number',
    todo: 'Report this with the entry: it was written by a fault of Apportion.',
  },
  'entry.amounts': {
    says: 'the cost is unknown exactly where the state says so, and only what is in doubt is at risk',
    todo: 'Report this with the entry, and reprice its day (docs/prices-api.md): a correction puts the amount right.',
  },
  'entry.charges': {
    says: 'quantity × unit price = amount on every line, and the lines add up to the cost',
    todo: 'Report this with the entry, and reprice its day (docs/prices-api.md): a correction puts the amount right.',
  },
  'entry.tokens': {
    says: 'input and output tokens are the sums of their meters',
    todo: 'Report this with the entry, and reprice its day (docs/prices-api.md): a correction puts the usage right.',
  },
  'entry.time': {
    says: 'an entry is posted after the attempt began',
    todo: 'Look at the clock of the machine: it was set back, or the entry was written by a fault of Apportion.',
  },
  'entry.tags': {
    says: 'every tag has a legal key and says where it came from',
    todo: 'Report this with the entry: it was written by a fault of Apportion.',
  },
  'calls.unique': {
    says: 'no entry is there twice',
    todo: 'Report this with both entries: money was counted twice. A correction of one of them puts the sum right.',
  },
  'calls.counted': {
    says: 'a call is counted by one of its attempts',
    todo: 'Report this with the call: reports show one call too many.',
  },
  'calls.corrections': {
    says: 'a correction is of an entry before it, numbered from 1, and takes over where the last one left off',
    todo: 'Report this with the entry: the sums of its states are wrong in reports.',
  },
  'chain.intact': {
    says: 'every entry is as it was when it was chained',
    todo: 'Keep everything as it is, and compare with a backup: somebody or something changed the journal. See apportion verify.',
  },
  'store.shipping': {
    says: 'what was shipped is what the journal has, and the store has it all',
    todo: 'Stop the server, delete the folder store, start it again: the store is rebuilt from the journal.',
  },
  'store.sums': {
    says: 'for every day the store has the journal’s entries and the same sum of every amount',
    todo: 'Stop the server, delete the folder store, start it again: the store is rebuilt from the journal.',
  },
  'store.rollups': {
    says: 'what is summed up by a dimension comes to what its entries come to',
    todo: 'Stop the server, delete the folder store, start it again: the store is rebuilt from the journal.',
  },
  'store.rows': {
    says: 'every row of the store is its entry, field by field',
    todo: 'Stop the server, delete the folder store, start it again: the store is rebuilt from the journal.',
  },
  'store.quarantine': {
    says: 'no entry stands aside because the store refuses it',
    todo: 'Read the reason in the file and report it. The ledger has the entry, reports lack it; a rebuild tries it again.',
  },
  'reports.total': {
    says: 'the total of every report is that of the journal',
    todo: 'Run apportion doctor with the server stopped: it compares the store itself with the journal.',
  },
  'reports.parts': {
    says: 'the parts and (untagged) of every breakdown add up to its total',
    todo: 'Report this with the question: the breakdown is wrong, the ledger is not.',
  },
  'budgets.spent': {
    says: 'what the saved counters of budgets say was spent is what the entries cost',
    todo: 'Stop the server, delete journal/counters.json, start it again: budgets are counted again from the journal.',
  },
  'control.database': {
    says: 'control.db is whole, and the snapshot that gateways start with is not ahead of it',
    todo: 'Restore control.db from a backup, or delete control-snapshot.json if only that is wrong: it is written again.',
  },
  'folder.rights': {
    says: 'nobody but the owner may read the data',
    todo: 'chmod 700 on the folder, 600 on the file.',
  },
  'folder.space': {
    says: 'the disk has room',
    todo: 'Make room: when the disk is full, calls are refused.',
  },
} as const satisfies Readonly<Record<string, { readonly says: string; readonly todo: string }>>;

export type RuleId = keyof typeof RULES;
