namespace Breakwater.TestSupport;

/// <summary>A request that a <see cref="ScriptedUpstream"/> received.</summary>
/// <param name="Method">GET, HEAD, ….</param>
/// <param name="Target">The request target as it was sent.</param>
/// <param name="Path">The path of the target, without scheme, authority and query.</param>
/// <param name="Headers">Header lines in order, without line ends.</param>
/// <param name="ConnectionNumber">Which connection brought it, from 1.</param>
public sealed record UpstreamRequest(string Method, string Target, string Path, IReadOnlyList<string> Headers, int ConnectionNumber)
{
    private readonly TaskCompletionSource<UpstreamAnswerEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Complete when the answer has ended. It fails when it does not end.</summary>
    public Task<UpstreamAnswerEnd> Ended => _end.Task.InTimeAsync(what: $"the end of the answer to {Target}");

    /// <summary>The value of a header, null when it was not sent.</summary>
    public string? Header(string name)
    {
        foreach (string line in Headers)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return line[(colon + 1)..].Trim();
            }
        }

        return null;
    }

    internal void SetEnd(UpstreamAnswerEnd end) => _end.TrySetResult(end);
}
