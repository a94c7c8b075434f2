import { BlockList, isIP } from 'node:net'

/** What an address is good for, as far as it matters to who asks us to call it (CR-30). */
export type AddressKind =
  | 'public'
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'cloud metadata'
  | 'unspecified'
  | 'multicast'
  | 'reserved'

/** The first that fits counts: metadata addresses lie inside of wider ranges. */
const RANGES: readonly (readonly [AddressKind, ...string[]])[] = [
  // AWS and most others, Alibaba, Oracle, Azure; AWS and Google over IPv6.
  ['cloud metadata', '169.254.169.254/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32'],
  ['cloud metadata', 'fd00:ec2::/32', 'fd20:ce::/32'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '240.0.0.0/4'], // with the broadcast address at its end
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'],
  ['private', '192.0.0.0/24', '198.18.0.0/15', 'fc00::/7', 'fec0::/10'],
]

const LISTS = RANGES.map(([kind, ...ranges]) => {
  const list = new BlockList()
  for (const range of ranges) {
    const [net = '', bits] = range.split('/')
    list.addSubnet(net, Number(bits), familyOf(net))
  }
  return { kind, list }
})

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/**
 * The kind of an IP address. One that carries another inside (mapped, 6to4, NAT64, Teredo and such) counts as
 * that one, unless it is special itself: a translator on the way may lead there.
 */
export function kindOfAddress(written: string): AddressKind {
  const address = written.replace(/%.*$/, '') // a zone, as in fe80::1%eth0
  if (isIP(address) === 0) return 'reserved'
  for (const one of [address, ...addressesInside(address)]) {
    const found = LISTS.find(({ list }) => list.check(one, familyOf(one)))
    if (found) return found.kind
  }
  return 'public'
}

/** How IPv6 addresses begin that carry an IPv4 address, and at which byte that one begins. */
const CARRIERS: readonly { readonly begins: readonly number[]; readonly at: number }[] = [
  { begins: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 }, // mapped
  { begins: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 }, // compatible
  { begins: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 }, // translated
  { begins: [0, 0x64, 0xff, 0x9b], at: 12 }, // NAT64
  { begins: [0x20, 0x02], at: 2 }, // 6to4
  { begins: [0x20, 0x01, 0, 0], at: 4 }, // Teredo: the server
]
const TEREDO = [0x20, 0x01, 0, 0]

function addressesInside(address: string): string[] {
  if (!address.includes(':')) return []
  const bytes = bytesOf(address)
  const begins = (start: readonly number[]) => start.every((byte, index) => bytes[index] === byte)
  const inside = CARRIERS.filter((one) => begins(one.begins)).map(({ at }) => bytes.slice(at, at + 4))
  // A Teredo client's own address is written with every bit turned round; ISATAP marks it with 5efe.
  if (begins(TEREDO)) inside.push(bytes.slice(12).map((byte) => byte ^ 0xff))
  if (bytes[10] === 0x5e && bytes[11] === 0xfe) inside.push(bytes.slice(12))
  return inside.map((four) => four.join('.'))
}

/** The 16 bytes of an IPv6 address; the URL parser knows every way to write one. */
function bytesOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const words = (text: string) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
  const [first, last] = [words(head), words(tail ?? '')]
  const gap = Array.from({ length: 8 - first.length - last.length }, () => 0)
  return [...first, ...gap, ...last].flatMap((word) => [word >> 8, word & 0xff])
}

/**
 * Who is counted as one caller: an IPv4 address, or the 64 bits of an IPv6 network, all addresses of which one machine
 * may have.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '')
  if (isIP(plain) !== 6) return plain
  const bytes = bytesOf(plain)
  const isMapped = CARRIERS[0]?.begins.every((byte, index) => bytes[index] === byte)
  return isMapped ? bytes.slice(12).join('.') : bytes.slice(0, 8).join(':')
}
