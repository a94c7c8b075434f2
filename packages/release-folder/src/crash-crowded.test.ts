import { crowdedCrashTests } from './testing/crash-tests.ts'

crowdedCrashTests({ phases: new URL('testing/row-phases.ts', import.meta.url), writeSource: async () => {} })
