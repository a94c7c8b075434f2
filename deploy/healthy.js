// The health check of the image: 0 where the process on this port can work, 1 otherwise.
const port = process.env.PORT || '8282'
const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
process.exit(answer?.ok ? 0 : 1)
