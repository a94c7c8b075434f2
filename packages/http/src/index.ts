export { kindOfAddress, type AddressKind } from './address-kind.ts'
export { createApp, type App, type AppOptions } from './app.ts'
export { request, type Answer, type RequestOptions } from './client.ts'
export { HTTP_ERRORS, ListenError, TransportError, type HttpErrorCode } from './errors.ts'
export { readerGone, sendEventStream, wantsEventStream, type StreamedEvent } from './event-stream.ts'
export { listen, type ListenOptions } from './listen.ts'
export { createLogger, type Logger } from './logger.ts'
export {
  addGauge,
  addStateGauge,
  Counter,
  Gauge,
  Histogram,
  isUp,
  Registry,
  serveMetrics,
} from './metrics.ts'
export {
  AddressRefused,
  createOutgoing,
  type Outgoing,
  type OutgoingRules,
  type Resolve,
} from './outgoing.ts'
export type { ErrorBody } from './refusals.ts'
export { portHolder } from './port-holder.ts'
export type { FastifyReply, FastifyRequest, FastifyError } from 'fastify'
