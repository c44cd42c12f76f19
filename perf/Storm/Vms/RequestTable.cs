using System.Collections.Concurrent;
using Breakwater.Laboratory.Client;

namespace Breakwater.Storm.Vms;

/// <summary>The requests of a trace, made once and shared by all VMs and threads.</summary>
internal sealed class RequestTable(StormOptions options)
{
    private readonly ConcurrentDictionary<(int Host, bool IsAbsolute, bool NoCache), PreparedRequest?[]> _tables = new();

    /// <summary>The request for the n-th path of the trace.</summary>
    public PreparedRequest Get(int index, int host, bool isAbsolute, bool noCache)
    {
        PreparedRequest?[] table = _tables.GetOrAdd((host, isAbsolute, noCache), _ => new PreparedRequest?[options.Trace.Paths.Count]);
        return table[index] ??= PreparedRequest.Get(options.Trace.Paths[index], options.Hosts[host].ToString(), isAbsolute, noCache);
    }
}
