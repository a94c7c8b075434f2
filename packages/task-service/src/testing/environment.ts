/** Sets environment variables. @returns what gives them back as they were */
export function setEnvironment(env: { readonly [name: string]: string | undefined }): () => void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  for (const [name, value] of Object.entries(env)) set(name, value)
  return () => {
    for (const [name, value] of before) set(name, value)
  }
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
