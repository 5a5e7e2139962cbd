/**
 * No policy forbids WebRTC, whose connections could carry data away: the page gives it up before anything else runs.
 * Whoever can run a script here could still take it from a new frame; docs/SECURITY.md says so.
 */
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) {
  if (name in globalThis) Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
}
