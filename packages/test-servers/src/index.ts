export { absent, type ServerKind } from './programs.ts'
export { startPostgres, type PostgresServer } from './postgres.ts'
export { freePort } from './server-process.ts'
export { startRedis, type RedisServer } from './redis.ts'
