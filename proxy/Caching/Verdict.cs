namespace Breakwater.Proxy.Caching;

/// <summary>What a stored answer may be used for.</summary>
internal enum Verdict
{
    /// <summary>Answers the request as it is.</summary>
    Fresh,

    /// <summary>Answers the request as it is, though it is past its lifetime: the request allows that.</summary>
    StaleAllowed,

    /// <summary>Answers the request as it is, and is validated meanwhile.</summary>
    StaleWhileRevalidate,

    /// <summary>Must be validated first.</summary>
    Validate,
}
