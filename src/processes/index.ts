/**
 * Is: the two processes of a server and the channel between them.
 * Owns: starting the ledger process, starting it again, the messages both ways. Not: what either of them does.
 * Holds: the gateway never waits for the ledger process; a process that was started again is told everything anew.
 * Fails: a dead ledger process is logged and started again, with a growing pause of at most 5 s.
 */
export { Acknowledgements } from './acknowledgements.ts';
export { BudgetFigures } from './budget-figures.ts';
export { Corrections, type NewEntry } from './corrections.ts';
export type { FirstKeys, ToGateway, ToLedger } from './messages.ts';
export { connectToParent, type Parent } from './parent.ts';
export { Rotations } from './rotations.ts';
export { superviseLedger, type LedgerSupervisor } from './supervisor.ts';
export { Questions } from './questions.ts';
export { type DeploymentStanding, type RouteStanding } from './route-standing.ts';
