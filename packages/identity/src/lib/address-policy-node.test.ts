import assert from 'node:assert/strict'
import test from 'node:test'
import { isPublicAddress } from './address-policy-node.ts'

const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
  169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0
  192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
  223.255.255.255
  2001:200:: 2001:4860:4860::8888 2001:db7:ffff:: 2001:db9:: 2003:: 2606:4700:4700::1111 2a00:1450:4001:81b::200e
  2620:fe::fe 3ffe:ffff::1 3fff:1000::1
`
const BLOCKED = `
  0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1 100.127.255.255 127.0.0.0
  127.0.0.1 127.1.2.3 127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.16.0.1 172.20.1.1
  172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1 192.168.0.0
  192.168.0.1 192.168.255.255 198.18.0.0 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
  240.0.0.1 255.255.255.254 255.255.255.255
  :: ::1 0:0:0:0:0:0:0:1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:0:0 ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1
  ::ffff:7f00:1 0:0:0:0:0:ffff:7f00:0001 ::FFFF:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1
  64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100::1 100:0:0:1::1 1fff:ffff::1
  2001::1 2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1
  2001:20::1 2001:30::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::1 2001:db8:ffff:ffff::1 2002::1 2002:7f00:1::
  2002:a00:1::1 2002:c0a8:101:: 2002:808:808::1 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff::1 3fff:fff:ffff::1
  4000::1 5f00::1 8000::1 c000::1 e000::1 f000::1 fc00::1 fd00::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::1
  fe80::1 fe80::1%eth0 febf::1 fec0::1 feff::1 ff00::1 ff02::1 ff05::2 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
  2606:4700::1111%eth0
  0177.0.0.1 0x7f.0.0.1 0x7f000001 2130706433 017700000001 127.1 127.0.1 1.1 010.0.0.1 8.8.8.010 08.8.8.8 1.2.3.4.5
  256.1.1.1 1.2.3 1.2.3. .1.2.3 1.2.3.4/8 1.2.3.-4 １.1.1.1 localhost example.com [::1] [2606:4700::1] :1
  2606:4700::1::1 2606:4700:0:0:0:0:0:0:1 g606::1 12345::1
`
const words = (list: string) => list.trim().split(/\s+/)

test('public addresses pass', () => {
  for (const address of words(PUBLIC)) assert.equal(isPublicAddress(address), true, address)
})

test('every special block is closed, at both of its ends, and in every spelling', () => {
  const blocked = words(BLOCKED)
  assert.ok(blocked.length > 100)
  for (const address of blocked) assert.equal(isPublicAddress(address), false, address)
  assert.equal(isPublicAddress(''), false)
  assert.equal(isPublicAddress(' 1.1.1.1'), false)
})
