using System.Text.Json.Serialization;

namespace Breakwater.Proxy.Commands;

/// <summary>One check of the doctor.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Level">How it is.</param>
/// <param name="Found">What was found.</param>
/// <param name="Next">What to do; null when nothing.</param>
internal sealed record DoctorCheck(string Name, CheckLevel Level, string Found, string? Next = null)
{
    /// <summary>Of a Stratum 1: did it not answer, or with an error of its own?</summary>
    [JsonIgnore]
    public bool IsDown { get; init; }
}
