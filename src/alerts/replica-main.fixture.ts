import { clockAt, openAlertsIn } from './open-alerts.fixture.ts';
import { crossing, NOON, standing } from './standing.fixture.ts';

/** What a test asks of a process of its own: to look at customers as they stand, having been told of some of them. */
export type Ask = {
  readonly spent: Readonly<Record<string, string>>;
  readonly crossed: readonly (readonly [string, number])[];
};

/** Alerts in a process of their own, on a database file that others use too. Answers `done` to each `Ask`. */
const [, , file = '', owner = ''] = process.argv;

let spent: Ask['spent'] = {};
const { alerts, close } = await openAlertsIn(file, {
  owner,
  clock: clockAt(NOON),
  standings: async () => Object.entries(spent).map(([customer, amount]) => standing(customer, amount)),
});

process.on('message', (ask: Ask) => {
  void look(ask);
});
process.on('disconnect', () => void close());
await alerts.start();
process.send?.('open');

async function look(ask: Ask): Promise<void> {
  spent = ask.spent;
  await alerts.crossed(ask.crossed.map(([customer, threshold]) => crossing(customer, threshold)));
  await alerts.look();
  await alerts.idle();
  process.send?.('done');
}
