using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Remembers the addresses of hosts, so that a slow resolver is waited for once and a dead one not at all: one look-up a host at a time,
/// which no client owns and no client's leaving ends. Bounded: <see cref="MaxHosts"/> names of at most 255 characters with
/// <see cref="MaxAddresses"/> addresses each, about 1 MiB. Thread-safe.
/// </summary>
/// <param name="resolver">Who is asked.</param>
/// <param name="maxAtOnce">Look-ups at a time: each holds a thread of the pool.</param>
/// <param name="options">How long a look-up is waited for.</param>
/// <param name="time">The clock.</param>
internal sealed class RememberedHostNames(IHostNames resolver, int maxAtOnce, ProxyOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Hosts remembered; those that were asked for longest ago are forgotten.</summary>
    public const int MaxHosts = 512;

    /// <summary>Addresses kept of one host. Nobody tries more before a client has left.</summary>
    public const int MaxAddresses = 16;

    /// <summary>The system's resolver tells no lifetime. A minute is what aliases of Stratum 1s that move have.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    /// <summary>Until then an answer is used at once, while the host is looked up anew behind it.</summary>
    public static readonly TimeSpan UsedMeanwhile = TimeSpan.FromMinutes(10);

    /// <summary>Until then an answer is used when nobody gives a newer one.</summary>
    public static readonly TimeSpan UsedOnFailure = TimeSpan.FromDays(1);

    /// <summary>After a failure, or an answer whose addresses did not accept, the resolver has its rest.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Entry> _hosts = new(StringComparer.OrdinalIgnoreCase);     // guarded by _gate
    private readonly SemaphoreSlim _places = new(maxAtOnce);
    private readonly Lock _gate = new();

    /// <summary>Hosts remembered at present.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _hosts.Count;
            }
        }
    }

    /// <summary>The addresses, best first.</summary>
    /// <exception cref="LookupFailedException">There are none, nobody can be asked, or it took too long.</exception>
    /// <exception cref="OperationCanceledException">Who waits has left; the look-up goes on.</exception>
    public async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        Task<Answer> lookup;
        lock (_gate)
        {
            Entry entry = FindOrAddLocked(host);
            if (entry.IsWithinLocked(Fresh, time) || (entry.Failure is not null && time.GetElapsedTime(entry.TriedAt) < Rest))
            {
                return entry.AddressesOrThrowLocked(host, time);
            }

            lookup = StartLocked(host, entry);
            if (entry.IsWithinLocked(UsedMeanwhile, time))
            {
                return entry.Addresses!;
            }
        }

        try
        {
            Answer answer = await lookup.WaitAsync(options.LookupTimeout, time, cancellationToken);
            return answer.Addresses ?? throw new LookupFailedException($"{host} cannot be looked up: {answer.Failure}");
        }
        catch (TimeoutException)
        {
            return Older(host) ?? throw new LookupFailedException(
                $"looking up {host} took longer than {options.LookupTimeout.TotalSeconds:0.#} s (Proxy:LookupTimeout): the resolver of "
                + $"this machine is slow")
            { IsTimeout = true };
        }
    }

    /// <summary>None of its addresses accepts: it may have moved, and is looked up again behind whoever asks next.</summary>
    public void Doubt(string host)
    {
        lock (_gate)
        {
            if (_hosts.TryGetValue(host, out Entry? entry) && time.GetElapsedTime(entry.TriedAt) >= Rest)
            {
                StartLocked(host, entry);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    private IPAddress[]? Older(string host)
    {
        lock (_gate)
        {
            return _hosts.TryGetValue(host, out Entry? entry) && entry.IsWithinLocked(UsedOnFailure, time) ? entry.Addresses : null;
        }
    }

    private Entry FindOrAddLocked(string host)
    {
        if (!_hosts.TryGetValue(host, out Entry? entry))
        {
            if (host.Length > 255 || (_hosts.Count >= MaxHosts && !TryForgetOneLocked()))
            {
                throw new LookupFailedException(
                    $"{(host.Length > 255 ? "a name of more than 255 characters" : host)} cannot be looked up: too many look-ups are "
                    + $"under way");
            }

            entry = new Entry();
            _hosts.Add(host, entry);
        }

        entry.AskedAt = time.GetTimestamp();
        return entry;
    }

    /// <summary>
    /// Forgets who was asked for longest ago; not who is being looked up. A walk over all, which is nothing beside the look-up that
    /// follows.
    /// </summary>
    private bool TryForgetOneLocked()
    {
        string? oldest = _hosts.Where(h => h.Value.Lookup is null).OrderBy(h => h.Value.AskedAt).Select(h => h.Key).FirstOrDefault();
        return oldest is not null && _hosts.Remove(oldest);
    }

    private Task<Answer> StartLocked(string host, Entry entry) => entry.Lookup ??= Task.Run(() => LookUpAsync(host, entry));

    private async Task<Answer> LookUpAsync(string host, Entry entry)
    {
        IPAddress[] found = [];
        string failure = "it has no address";
        await _places.WaitAsync();
        try
        {
            found = await resolver.ResolveAsync(host, CancellationToken.None);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            failure = e.Message;
        }
        finally
        {
            _places.Release();
        }

        lock (_gate)
        {
            entry.Lookup = null;
            entry.TriedAt = time.GetTimestamp();
            entry.Failure = found.Length > 0 ? null : failure;
            if (found.Length > 0)
            {
                entry.Addresses = found.Length > MaxAddresses ? found[..MaxAddresses] : found;
                entry.FoundAt = entry.TriedAt;
            }

            return entry.IsWithinLocked(UsedOnFailure, time) ? new Answer(entry.Addresses, null) : new Answer(null, failure);
        }
    }

    private readonly record struct Answer(IPAddress[]? Addresses, string? Failure);

    /// <summary>One host; guarded by the gate.</summary>
    private sealed class Entry
    {
        public IPAddress[]? Addresses { get; set; }

        public string? Failure { get; set; }

        public Task<Answer>? Lookup { get; set; }

        public long AskedAt { get; set; }

        public long FoundAt { get; set; }

        public long TriedAt { get; set; }

        public bool IsWithinLocked(TimeSpan age, TimeProvider time) => Addresses is not null && time.GetElapsedTime(FoundAt) < age;

        public IPAddress[] AddressesOrThrowLocked(string host, TimeProvider time) =>
            IsWithinLocked(UsedOnFailure, time) ? Addresses! : throw new LookupFailedException($"{host} cannot be looked up: {Failure}");
    }
}
