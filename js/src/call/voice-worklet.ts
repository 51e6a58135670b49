/** Runs beside the page's thread: gives it the samples of a microphone, each block with its time. */
declare const currentTime: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

class Voice extends AudioWorkletProcessor {
  process([microphone]: readonly (readonly Float32Array[])[]): boolean {
    const samples = microphone?.[0];
    if (samples) this.port.postMessage([currentTime * 1000, samples]);
    return true;
  }
}

registerProcessor("blustream-voice", Voice);
