using System.Net;

namespace Breakwater.Proxy.Fetching;

/// <summary>One request's place in a <see cref="FetchQueue"/>. Its inner members belong to the queue, guarded by its lock.</summary>
/// <param name="priority">How urgent it is.</param>
/// <param name="client">Who wants it; null: the proxy itself.</param>
/// <param name="cluster">Whose Stratum 1s are asked; null: those of one cluster are not told from another's.</param>
internal sealed class FetchPlace(FetchPriority priority, IPAddress? client = null, string? cluster = null)
{
    /// <summary>Whose Stratum 1s are asked.</summary>
    public string? Cluster => cluster;

    /// <summary>How urgent the most urgent of those who want it finds it.</summary>
    public FetchPriority Priority { get; internal set; } = priority;

    /// <summary>On whose account it goes.</summary>
    internal IPAddress Client { get; set; } = client is null ? FetchLine.Own : Access.ClientKey.Of(client);

    /// <summary>Another one on the same account.</summary>
    public FetchPlace Again() => new(Priority, null, Cluster) { Client = Client };

    internal bool IsRunning { get; set; }

    /// <summary>Where it waits; null: it does not.</summary>
    internal LinkedListNode<FetchPlace>? Node { get; set; }

    internal TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal CancellationTokenRegistration Registration { get; set; }
}
