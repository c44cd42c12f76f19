using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// What a client gets: a head whose body is stored or on its way for all; or the origin's answer for this client alone; or a
/// failure.
/// </summary>
internal sealed record ExchangeAnswer
{
    /// <summary>The head; null: <see cref="Live"/> or <see cref="Failure"/>.</summary>
    public StoredHead? Head { get; init; }

    /// <summary>Where its body is on its way; null: nowhere, or somebody else's fetch brings it.</summary>
    public BodyFeed? Feed { get; init; }

    /// <summary>The origin's answer; the client's request disposes it.</summary>
    public FetchedAnswer? Live { get; init; }

    /// <summary>Why there is none.</summary>
    public UpstreamFailure? Failure { get; init; }

    /// <summary>The client wanted what is stored or nothing, and there is nothing (RFC 9111, 5.2.1.7).</summary>
    public bool IsOnlyIfCached { get; init; }

    /// <summary>Where it comes from.</summary>
    public AnswerOrigin Origin { get; init; }

    /// <summary>
    /// Why it was asked for (RFC 9211, 2.2): uri-miss, vary-miss, stale, request, bypass, method; null: nobody was asked.
    /// </summary>
    public string? Forwarded { get; init; }

    /// <summary>The status that the origin sent; null: nobody was asked, or there was none.</summary>
    public int? ForwardedStatus { get; init; }

    /// <summary>Is what came kept?</summary>
    public bool IsStored { get; init; }

    /// <summary>Host and port that was asked; null: nobody.</summary>
    public string? Upstream { get; init; }

    /// <summary>The origin let this client have it; what it would say to another is not known.</summary>
    public bool IsForOne { get; init; }

    /// <summary>May another request have it as well?</summary>
    public bool IsShared => Live is null && !IsForOne;
}
