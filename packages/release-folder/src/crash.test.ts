import { crashTests } from './testing/crash-tests.ts'

crashTests({ phases: new URL('testing/row-phases.ts', import.meta.url), writeSource: async () => {} })
