/** The daemon protocol of libguestfs. */
export * from './arguments.ts';
export * from './channel.ts';
export * from './hypervisor-arguments.ts';
export * from './incoming.ts';
export * from './outgoing.ts';
export * from './protocol.ts';
export * from './serve.ts';
export * from './xdr.ts';
