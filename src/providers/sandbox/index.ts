export { startSandbox, type Sandbox } from './server.ts';
