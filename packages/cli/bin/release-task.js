#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node must be able to read this far and say what is wrong.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `release-task needs Node 24.15 or later, and this is Node ${process.versions.node}. In its repository, start it with npm (npm start, npm run task): that brings its own Node.`,
  )
  process.exit(1)
}

const source = new URL('../src/main.ts', import.meta.url)
const fromSource = existsSync(source)
const condition = '--conditions=development'

if (fromSource && !process.execArgv.includes(condition)) {
  // In the workspace the packages are imported as sources; the same process goes on with the condition set.
  const self = fileURLToPath(import.meta.url)
  const args = [process.execPath, condition, ...process.execArgv, self, ...process.argv.slice(2)]
  process.execve(process.execPath, args, process.env)
}

module.enableCompileCache()
const { main } = await import(fromSource ? source.href : new URL('../dist/main.js', import.meta.url).href)
await main(process.argv)
