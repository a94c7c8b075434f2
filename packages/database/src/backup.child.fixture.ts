import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/*
 * A process that commits in a loop until it is killed: each commit adds one row to `things` and counts it in
 * `counters`. Tells the number of every commit once that is stored.
 */
const connection = new DatabaseSync(process.argv[2] ?? '', { timeout: 5000 })
const insert = connection.prepare('INSERT INTO things (id, size) VALUES (?, ?)')
const count = connection.prepare("UPDATE counters SET value = value + 1 WHERE name = 'events'")
for (let number = 1; ; number++) {
  connection.exec('BEGIN IMMEDIATE')
  insert.run(String(number), number)
  count.run()
  connection.exec('COMMIT')
  writeSync(1, `${number}\n`)
}
