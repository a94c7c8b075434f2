// npm run faults -- --seed 1 --rounds 100 --backend sqlite
import { runMain } from './command.ts'

process.exitCode = await runMain(process.argv.slice(2))
