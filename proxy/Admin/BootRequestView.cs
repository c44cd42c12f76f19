using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Admin;

/// <summary>A request of a boot, with its file when that is known.</summary>
internal sealed record BootRequestView(double StartMs, double DurationMs, ByteSource Source, string Result, long Bytes, string What);
