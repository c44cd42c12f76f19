namespace Breakwater.Laboratory.Client;

/// <summary>The reactions of CernVM-FS 2.11.5 as seen on the wire (protocol.md, "How a client behaves"). Pure.</summary>
internal static class ClientRules
{
    /// <summary>What the head of an answer is to the client.</summary>
    public static Failure Of(in ResponseHead head) => head.Status switch
    {
        200 or 206 => head.IsEncoded ? Failure.WrongBody : Failure.None,
        204 => Failure.WrongBody,
        < 200 => Failure.Informational,
        301 or 302 or 303 or 307 => Failure.Redirected,
        401 or 403 or 407 or 410 or 416 or 304 or 308 => Failure.Refused,
        429 => Failure.TooManyRequests,
        _ => Failure.ServerError,
    };

    /// <summary>The step after a failure.</summary>
    public static Step After(Failure failure, ClientProfile profile, in RequestHistory history) => failure switch
    {
        Failure.ServerError => HostOrGiveUp(history),
        Failure.Refused or Failure.NoConnection => ProxyOrGiveUp(history),
        Failure.TooManyRequests => history.Retries < profile.Retries ? Step.Retry : HostOrGiveUp(history),
        Failure.WrongBody => history.NoCacheTried ? HostOrGiveUp(history) : Step.RetryNoCache,
        Failure.WrongDocument => HostOrGiveUp(history),
        Failure.Broken or Failure.TooSlow => history.Retries < profile.Retries ? Step.Retry : ProxyOrGiveUp(history),
        _ => Step.GiveUp,
    };

    /// <summary>How long the client waits before it: a back-off of 2 to 10 s after a 429, 0 to 2 s after a broken connection.</summary>
    /// <param name="failure">What went wrong.</param>
    /// <param name="step">What comes.</param>
    /// <param name="draw">Uniform in [0, 1).</param>
    public static TimeSpan Pause(Failure failure, Step step, double draw) => (failure, step) switch
    {
        (Failure.TooManyRequests, Step.Retry) => TimeSpan.FromSeconds(2 + (8 * draw)),
        (_, Step.Retry) => TimeSpan.FromSeconds(2 * draw),
        _ => TimeSpan.Zero,
    };

    private static Step HostOrGiveUp(in RequestHistory history) => history.HostsLeft > 0 ? Step.NextHost : Step.GiveUp;

    private static Step ProxyOrGiveUp(in RequestHistory history) => history.ProxiesLeft > 0 ? Step.NextProxy : Step.GiveUp;
}
