using System.Diagnostics;
using System.Net;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// One VM's boot, as a Micro-CernVM does it: the mount's requests one after the other on one connection, then files on up to 16
/// connections; <c>CVMFS_TIMEOUT=5</c>, <c>CVMFS_MAX_RETRIES=0</c>, proxies <c>this;DIRECT</c>. What the client was seen to do with each
/// kind of answer stands at <see cref="FetchEnd"/>.
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
        for (int tries = 0; tries < BootRequest.Hosts.Count; tries++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_isExiled)
            {
                return;
            }

            int host = Volatile.Read(ref _host);
            FetchEnd end = await FetchAsync(connection, request, host, noCache: false);
            if (end == FetchEnd.WrongBody)
            {
                end = await FetchAsync(connection, request, host, noCache: true);
            }

            switch (end)
            {
                case FetchEnd.Right:
                    return;
                case FetchEnd.ProxyFailed:
                    Exile(connection, request);
                    return;
                case FetchEnd.IoError:
                    Fail(connection, request);
                    return;
                default:
                    // Whoever comes first switches for the whole VM.
                    Interlocked.CompareExchange(ref _host, (host + 1) % BootRequest.Hosts.Count, host);
                    break;
            }
        }

        Fail(connection, request);
    }

    private async Task<FetchEnd> FetchAsync(VmConnection connection, BootRequest request, int host, bool noCache)
    {
        tally.Asked(request);
        FetchEnd end = await connection.FetchAsync(request, host, noCache);
        if (end == FetchEnd.WrongBody)
        {
            tally.WrongBody($"a body that is not that of {request.Path}");
        }

        return end;
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
