import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { kindOfAddress, type AddressKind } from './address-kind.ts'

/** What is allowed to be called at an address that somebody else chose (CR-30). */
export interface OutgoingRules {
  /** Networks of one's own and this machine itself. */
  readonly privateAddresses: 'allow' | 'refuse'
}

/** Connections that only lead where the rules allow; kept open for a while, as others are. */
export interface Outgoing {
  readonly agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent }
  /** @throws AddressRefused for a host that is written as an address, which no lookup ever sees */
  checkHost(hostname: string): void
}

/** An address that is not called; the message is for the log, and for nobody who chose the address. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly code = 'ADDRESS_NOT_CALLED'
}

/** How a name becomes addresses; `dns.lookup` but in tests. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly family: number; readonly hints: number },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

const IDLE_MS = 4 * 1000 // 4 s: shorter than servers keep a connection that is not used

/**
 * Looks at the addresses of a name at every connection, and connects to just those: a name that led somewhere harmless
 * when it was registered may lead elsewhere now. No proxy of the environment is used: it would connect for us,
 * wherever it likes.
 */
export function createOutgoing(rules: OutgoingRules, resolve: Resolve = systemLookup): Outgoing {
  const lookup = checkingLookup(rules, resolve)
  const options = { keepAlive: true, timeout: IDLE_MS, lookup }
  return {
    agents: { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) },
    checkHost: (hostname) => {
      const host = hostname.replace(/^\[(.*)\]$/, '$1')
      if (isIP(host) !== 0) check(host, host, rules)
    },
  }
}

function checkingLookup(rules: OutgoingRules, resolve: Resolve): LookupFunction {
  return (hostname, { all, family, hints }, done) => {
    resolve(hostname, { all: true, family: familyNumber(family), hints: hints ?? 0 }, (error, addresses) => {
      try {
        if (error) throw error
        for (const { address } of addresses) check(hostname, address, rules)
        const [first] = addresses
        if (!first) throw new AddressRefused(`${hostname} has no address`)
        if (all) done(null, addresses)
        else done(null, first.address, first.family)
      } catch (refusal) {
        done(refusal as NodeJS.ErrnoException, [])
      }
    })
  }
}

function familyNumber(family: number | 'IPv4' | 'IPv6' | undefined): number {
  if (family === 'IPv4') return 4
  return family === 'IPv6' ? 6 : (family ?? 0)
}

/** One bad address of several is enough: which of them is connected to is not ours to choose. */
function check(hostname: string, address: string, rules: OutgoingRules): void {
  const kind = kindOfAddress(address)
  if (isAllowed(kind, rules)) return
  const written = hostname === address ? address : `${address}, which is the address of ${hostname},`
  throw new AddressRefused(`${written} is not called: ${kind}`)
}

function isAllowed(kind: AddressKind, { privateAddresses }: OutgoingRules): boolean {
  if (kind === 'private' || kind === 'loopback') return privateAddresses === 'allow'
  return kind === 'public'
}
