using System.Diagnostics;
using System.Net;
using Breakwater.Laboratory.Client;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// One VM's boot, as a Micro-CernVM does it: the mount's requests one after the other on one connection, then files on up to 16
/// connections; <c>CVMFS_TIMEOUT=5</c>, <c>CVMFS_MAX_RETRIES=0</c>, proxies <c>this;DIRECT</c>. What the client was seen to do with each
/// kind of answer stands at <see cref="ClientRules"/>.
/// </summary>
internal sealed class VirtualMachine(BootPlan plan, EndPoint proxy, IPAddress? source, PhaseTally tally, StallWatch watch)
{
    /// <summary>Connections that a client opens at most.</summary>
    public const int MaxConnections = 16;

    private int _host;
    private int _nextFile = -1;
    private volatile bool _isExiled;
    private volatile bool _hasFailed;

    /// <summary>Boots. Never throws for what the proxy does: that is counted.</summary>
    public async Task BootAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        VmConnection[] connections = new VmConnection[Math.Min(MaxConnections, plan.Files.Count)];
        try
        {
            for (int i = 0; i < connections.Length; i++)
            {
                connections[i] = new VmConnection(proxy, source, tally);
                watch.Add(connections[i]);
            }

            foreach (BootRequest request in plan.Mount)
            {
                await ReadAsync(connections[0], request, cancellationToken);
            }

            await Task.WhenAll(connections.Select(c => ReadFilesAsync(c, cancellationToken)));
            if (!_isExiled && !_hasFailed)
            {
                tally.Booted(Stopwatch.GetElapsedTime(start));
            }
        }
        finally
        {
            foreach (VmConnection connection in connections)
            {
                connection.Dispose();
            }
        }
    }

    private async Task ReadFilesAsync(VmConnection connection, CancellationToken cancellationToken)
    {
        int next;
        while ((next = Interlocked.Increment(ref _nextFile)) < plan.Files.Count)
        {
            await ReadAsync(connection, plan.Files[next], cancellationToken);
        }
    }

    private async Task ReadAsync(VmConnection connection, BootRequest request, CancellationToken cancellationToken)
    {
        int hostsTried = 0;
        bool noCacheTried = false, noCache = false;
        while (!_isExiled)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int host = Volatile.Read(ref _host);
            Failure failure = await FetchAsync(connection, request, host, noCache);
            if (failure == Failure.None)
            {
                return;
            }

            // Of its two proxies, this one and DIRECT, the second is left.
            var history = new RequestHistory(Retries: 0, noCacheTried, BootRequest.Hosts.Count - 1 - hostsTried, ProxiesLeft: 1);
            Step step = ClientRules.After(failure, ClientProfile.Micro, history);
            noCache = step == Step.RetryNoCache;
            switch (step)
            {
                case Step.RetryNoCache:
                    noCacheTried = true;
                    break;
                case Step.NextHost:
                    hostsTried++;

                    // Whoever comes first switches for the whole VM.
                    Interlocked.CompareExchange(ref _host, (host + 1) % BootRequest.Hosts.Count, host);
                    break;
                case Step.NextProxy:
                    Exile(connection, request);
                    return;
                default:
                    Fail(connection, request);
                    return;
            }
        }
    }

    private async Task<Failure> FetchAsync(VmConnection connection, BootRequest request, int host, bool noCache)
    {
        tally.Asked(request);
        Failure failure = await connection.FetchAsync(request, host, noCache);
        if (failure is Failure.WrongBody or Failure.WrongDocument)
        {
            tally.WrongBody($"a body that is not that of {request.Path}");
        }

        return failure;
    }

    private void Exile(VmConnection connection, BootRequest request)
    {
        if (!_isExiled)
        {
            _isExiled = true;
            string reason = connection.LastStatus is 0 or 200 ? connection.LastFailure : $"status {connection.LastStatus}";
            tally.Exiled($"a VM would have gone past the proxy for a day at {request.Path}: {reason}");
        }
    }

    private void Fail(VmConnection connection, BootRequest request)
    {
        _hasFailed = true;
        string last = connection.LastStatus == 0 ? "no HTTP answer" : $"status {connection.LastStatus}";
        tally.Failed($"{request.Path} could not be read from any host: {last}");
    }
}
