import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startClients } from './clients-under-way.ts';
import { judge } from './judgement.ts';
import { findLedger, nextLedger, withoutProc } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';

type Victim = 'gateway killed' | 'ledger killed' | 'both killed' | 'killed while it starts';

const VICTIMS: readonly [Victim, ...Victim[]] = [
  'gateway killed',
  'gateway killed',
  'ledger killed',
  'both killed',
  'killed while it starts',
];
const MOST_ANSWERS_BETWEEN = 120;
const LONGEST_START_MS = 900;

test(
  `E14: ${RUN.kills} kills at random moments lose no answered call, double none, and leave no money unexplained`,
  scenario(withoutProc),
  async (t) => {
    const scene = await openScene(t);
    const { random } = scene;
    const clients = startClients(scene);
    const struck: Record<Victim, number> = {
      'gateway killed': 0,
      'ledger killed': 0,
      'both killed': 0,
      'killed while it starts': 0,
    };
    for (let kills = 0; kills < RUN.kills; kills += 1) {
      await clients.answered(random.between(1, MOST_ANSWERS_BETWEEN));
      const victim = random.pick(VICTIMS);
      struck[victim] += 1;
      const back = KILL[victim](scene);
      if (victim !== 'ledger killed') clients.holdUntil(back);
      await back;
    }
    await judge(t, scene, { heard: await clients.stop(), faults: struck });
  },
);

const KILL: Readonly<Record<Victim, (scene: Scene) => Promise<void>>> = {
  'gateway killed': async ({ gateway }) => {
    await gateway.kill();
    await gateway.restart();
  },
  'ledger killed': async ({ gateway }) => {
    // Just after another of its deaths there may be none for a moment.
    process.kill(await nextLedger(gateway), 'SIGKILL');
  },
  'both killed': async ({ gateway }) => {
    const ledger = await findLedger(gateway);
    const killed = gateway.kill();
    if (ledger !== undefined) process.kill(ledger, 'SIGKILL');
    await killed;
    await gateway.restart();
  },
  /** The journal may be recovering, the ledger process opening the store, the first calls coming in. */
  'killed while it starts': async ({ gateway, random }) => {
    await gateway.kill();
    const ready = gateway.restart().catch(() => undefined);
    await wait(random.between(0, LONGEST_START_MS));
    await gateway.kill();
    await ready;
    await gateway.restart();
  },
};
