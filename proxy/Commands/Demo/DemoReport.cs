using System.Text.Json;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>The outcome of a demo; its JSON is a stable interface.</summary>
/// <param name="Vms">VMs that booted at once.</param>
/// <param name="RttMs">Emulated round-trip time, milliseconds.</param>
/// <param name="Ok">Did every phase go as it must?</param>
/// <param name="Problems">What did not, in words; empty when all is well.</param>
/// <param name="Phases">One entry a phase, in order: <c>cold</c>, <c>warm</c>, <c>restart</c>, <c>revision</c>.</param>
internal sealed record DemoReport(int Vms, double RttMs, bool Ok, IReadOnlyList<string> Problems, IReadOnlyList<PhaseResult> Phases)
{
    private static readonly JsonSerializerOptions s_json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    /// <summary>The report as one JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json);
}
