import { planFor } from './rows.ts';
import { seedStore } from './seed-store.ts';

const [dir = '', entries = ''] = process.argv.slice(2);
const seeded = await seedStore(dir, planFor(Number(entries)));
process.send?.(seeded);
process.disconnect?.();
