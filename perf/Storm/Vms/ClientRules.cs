using Breakwater.Storm.Client;

namespace Breakwater.Storm.Vms;

/// <summary>How patient a client is set up.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Retries">CVMFS_MAX_RETRIES.</param>
internal sealed record ClientProfile(string Name, int Retries)
{
    /// <summary>CernVM-FS as installed: one retry.</summary>
    public static ClientProfile Stock { get; } = new("stock", 1);

    /// <summary>Micro-CernVM: none, and whoever leaves the proxy stays away for a day.</summary>
    public static ClientProfile Micro { get; } = new("micro", 0);
}

/// <summary>What a client does after a failure.</summary>
internal enum Step
{
    /// <summary>The same request again through the same proxy.</summary>
    Retry,

    /// <summary>The same, with <c>Cache-Control: no-cache</c>.</summary>
    RetryNoCache,

    /// <summary>The same from the next Stratum 1, through the same proxy.</summary>
    NextHost,

    /// <summary>The same through the next proxy; when that is DIRECT, the VM is an exile.</summary>
    NextProxy,

    /// <summary>An I/O error for the user: the boot has failed.</summary>
    GiveUp,
}

/// <summary>What a request has been through, and what is left.</summary>
internal readonly record struct RequestHistory(int Retries, bool NoCacheTried, int HostsLeft, int ProxiesLeft);

/// <summary>The reactions of CernVM-FS 2.11.5 as seen on the wire (protocol.md, "How a client behaves"). Pure.</summary>
internal static class ClientRules
{
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
