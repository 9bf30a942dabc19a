// The few things that this program wants of callbridge.

import * as grpc from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import type { CallEvent } from "./crm.js";

export interface Options {
  address: string;
  protos: string;
  token?: string;
  rootCertificates?: Buffer; // Unset: without TLS.
}

export interface Message {
  event?: CallEvent;
  heartbeat?: { cursor: string };
  caught_up?: { cursor: string };
}

export interface Failure {
  reason: string; // "CURSOR_EXPIRED"; the code's name where the server gave none.
  metadata: Record<string, string>;
  passing: boolean; // Whether asking again may help.
  message: string;
}

interface Stub extends grpc.Client {
  StartCall(request: object, metadata: grpc.Metadata, options: grpc.CallOptions, done: (error: grpc.ServiceError | null, response?: { call: { name: string } }) => void): void;
  CallEvents(request: object, metadata: grpc.Metadata): grpc.ClientReadableStream<Message>;
}

// gRPC's own retries: safe for StartCall, since every request of it has a request_id.
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: [{ service: "callbridge.v1.CallService", method: "StartCall" }],
      retryPolicy: { maxAttempts: 4, initialBackoff: "0.2s", maxBackoff: "5s", backoffMultiplier: 2, retryableStatusCodes: ["UNAVAILABLE"] },
    },
  ],
};
const PASSING = [
  grpc.status.OK, grpc.status.CANCELLED, grpc.status.UNKNOWN, grpc.status.DEADLINE_EXCEEDED, grpc.status.RESOURCE_EXHAUSTED, grpc.status.ABORTED,
  grpc.status.INTERNAL, grpc.status.UNAVAILABLE,
];

export class Callbridge {
  private readonly stub: Stub;
  private readonly metadata = new grpc.Metadata();
  private readonly status: protoLoader.MessageTypeDefinition<object, object>;
  private readonly errorInfo: protoLoader.MessageTypeDefinition<object, object>;

  constructor(options: Options) {
    const definition = protoLoader.loadSync(
      ["callbridge/v1/call_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"],
      { includeDirs: [options.protos], keepCase: true, longs: String, enums: String, oneofs: true },
    );
    this.status = definition["google.rpc.Status"] as typeof this.status;
    this.errorInfo = definition["google.rpc.ErrorInfo"] as typeof this.errorInfo;
    const Service = grpc.loadPackageDefinition(definition) as any;
    const credentials = options.rootCertificates === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(options.rootCertificates);
    this.stub = new Service.callbridge.v1.CallService(options.address, credentials, {
      "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.initial_reconnect_backoff_ms": 200,
      "grpc.max_reconnect_backoff_ms": 5_000,
    });
    if (options.token !== undefined) this.metadata.set("authorization", `Bearer ${options.token}`);
  }

  /** -> the call's name. Repeats with the same request_id call once. */
  startCall(requestId: string, to: string, metadata: Record<string, string>): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = { request_id: requestId, call: { to, metadata } };
      this.stub.StartCall(request, this.metadata, { deadline: Date.now() + 30_000 }, (error, response) =>
        error !== null || response === undefined ? reject(error) : resolve(response.call.name));
    });
  }

  /** The events of all calls behind `cursor`; from now on if it is empty. */
  callEvents(cursor: string): grpc.ClientReadableStream<Message> {
    return this.stub.CallEvents(cursor === "" ? {} : { after_cursor: cursor }, this.metadata);
  }

  /** What an error says for programs. */
  explain(error: unknown): Failure {
    const { code, message, metadata } = error as Partial<grpc.ServiceError>;
    const failure: Failure = { reason: grpc.status[code ?? 2] ?? "", metadata: {}, passing: PASSING.includes(code ?? grpc.status.OK), message: message ?? String(error) };
    if (code === undefined) failure.passing = false; // No error of gRPC's: ours.
    const details = metadata?.get("grpc-status-details-bin")[0];
    if (details === undefined) return failure;
    const status = this.status.deserialize(details as Buffer) as { details?: { type_url: string; value: Buffer }[] };
    for (const each of status.details ?? []) {
      if (!each.type_url.endsWith("google.rpc.ErrorInfo")) continue;
      const info = this.errorInfo.deserialize(each.value) as { reason: string; metadata: Record<string, string> };
      failure.reason = info.reason;
      failure.metadata = info.metadata ?? {};
    }
    return failure;
  }

  close(): void {
    this.stub.close();
  }
}
