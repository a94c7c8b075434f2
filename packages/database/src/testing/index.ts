export { dumpSchema } from './schema.ts'
