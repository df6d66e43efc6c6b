import { startUpstream } from './upstream.ts';

/** The upstream as a process of its own, so that killing the gateway's process group or machine half leaves its bill alone. */
const upstream = await startUpstream({ port: Number(process.argv[2] ?? 0) });
process.send?.({ baseUrl: upstream.baseUrl });
process.once('disconnect', () => process.exit(0));
if (process.send === undefined) process.stdout.write(`${upstream.baseUrl}\n`);
