export * from './bytes.ts'
export * from './duration.ts'
export * from './setting.ts'
export * from './describe.ts'
