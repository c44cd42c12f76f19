namespace Breakwater.TestSupport;

/// <summary>A whole answer.</summary>
/// <param name="Head">Its head.</param>
/// <param name="Body">Its body, without chunk framing.</param>
/// <param name="IsComplete">False: the connection ended before the body did.</param>
public sealed record RawResponse(RawResponseHead Head, byte[] Body, bool IsComplete)
{
    /// <summary>The status code.</summary>
    public int Status => Head.Status;

    /// <summary>The value of the first header of that name; null when there is none.</summary>
    public string? Header(string name) => Head.Header(name);
}
