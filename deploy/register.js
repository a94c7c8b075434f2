// Registers a task service with a coordinator, once: one that is registered already is as good.
//   node deploy/register.js COORDINATOR NAME URL
const [coordinator, name, url] = process.argv.slice(2)
const service = { name, url, description: `Registered at start: ${name}`, author: 'compose' }

const answer = await fetch(`${coordinator}/task-services`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(service),
})
const text = await answer.text()
const known = answer.status === 400 && (await isRegistered())
console.log(known ? `${url} is registered already` : `${answer.status} ${text}`)
process.exit(answer.ok || known ? 0 : 1)

async function isRegistered() {
  const list = await fetch(`${coordinator}/task-services?limit=1000`)
  const { results } = await list.json()
  return results.some((one) => one.url === url)
}
