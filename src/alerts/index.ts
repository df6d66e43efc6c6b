/**
 * Is: rules on spending, errors and trouble → events → notifications, delivered through a durable outbox.
 * Owns: the rules' language, when a value is over, the outbox, webhook, Slack, e-mail and PagerDuty; its tables in `control.db`. Not: figures, counters of budgets, HTTP routes.
 * Holds: one event for a rule, value, window and threshold on all machines together; a notification keeps its id until somebody took it or it is a day old.
 * Fails: `invalid_field` for what cannot be a rule or channel; a receiver's failure is written down and tried again, never thrown.
 */
export { openAlerts, type Alerts } from './alerts.ts';
export { toWireChannel } from './channel.ts';
export { toWireEvent } from './event.ts';
export { toWireDelivery } from './history.ts';
export { type Health } from './judge-health.ts';
export { type TargetPolicy } from './targets.ts';
export { toWireRule } from './rule-record.ts';
