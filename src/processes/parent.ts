import type { Crossing } from '#budgets';
import type { ToGateway, ToLedger } from './messages.ts';

export type Parent = {
  tell(message: ToGateway): void;
  /** The first message, which says what to open. */
  readonly start: Promise<Extract<ToLedger, { type: 'start' }>>;
};

export type ParentHandlers = {
  readonly durable: (seq: number) => void;
  readonly applied: (revision: number) => void;
  readonly corrected: (answer: Extract<ToLedger, { type: 'corrected' }>) => void;
  readonly rotated: (answer: Extract<ToLedger, { type: 'rotated' }>) => void;
  readonly crossed: (crossings: readonly Crossing[]) => void;
  readonly standings: (answer: Extract<ToLedger, { type: 'standings' }>) => void;
  readonly routes: (answer: Extract<ToLedger, { type: 'routes' }>) => void;
  /** Asked to stop, or the gateway process is gone. */
  readonly stop: () => void;
};

/** The ledger process's end of the channel. It lives only as long as the gateway process that started it. */
export function connectToParent(handlers: ParentHandlers): Parent {
  const start = Promise.withResolvers<Extract<ToLedger, { type: 'start' }>>();
  process.on('message', (received) => {
    const message = received as ToLedger;
    switch (message.type) {
      case 'start':
        start.resolve(message);
        break;
      case 'durable':
        handlers.durable(message.seq);
        break;
      case 'applied':
        handlers.applied(message.revision);
        break;
      case 'corrected':
        handlers.corrected(message);
        break;
      case 'rotated':
        handlers.rotated(message);
        break;
      case 'crossed':
        handlers.crossed(message.crossings);
        break;
      case 'standings':
        handlers.standings(message);
        break;
      case 'routes':
        handlers.routes(message);
        break;
      case 'stop':
        handlers.stop();
        break;
    }
  });
  process.on('disconnect', handlers.stop);
  process.on('SIGTERM', handlers.stop);
  // Ctrl-C in a terminal reaches both processes: the gateway stops this one when its calls have ended.
  process.on('SIGINT', () => undefined);
  return {
    tell: (message) => {
      if (process.connected) process.send?.(message);
    },
    start: start.promise,
  };
}
