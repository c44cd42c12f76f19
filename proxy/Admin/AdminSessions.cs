using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// Who has signed in with the admin token, and who tries to. In memory: a restart ends all sessions. Thread-safe.
/// </summary>
internal sealed class AdminSessions(AdminToken token, TimeProvider time)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "breakwater-session";

    /// <summary>Name of the header for <see cref="AdminSession.Csrf"/>.</summary>
    public const string CsrfHeader = "X-CSRF-Token";

    /// <summary>Tries of an address, an IPv6 /64 counting as one, within a minute.</summary>
    public const int MaxTries = 5;

    /// <summary>How long a session lasts: a working day.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    /// <summary>Sessions at once; beyond it the oldest ends.</summary>
    internal const int MaxSessions = 64;

    /// <summary>Addresses whose tries are remembered; beyond it nobody new is let try before a minute has passed.</summary>
    internal const int MaxAddresses = 4096;

    private const int SecretBytes = 32;

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, AdminSession> _sessions = new(StringComparer.Ordinal);  // guarded by _gate, as below
    private readonly Dictionary<IPAddress, Queue<long>> _tries = [];                            // times of tries, oldest first

    /// <summary>Signs in.</summary>
    /// <param name="client">Address that tries.</param>
    /// <param name="offered">What it says the token is.</param>
    /// <param name="secret">For the cookie; null when it is refused.</param>
    /// <param name="wait">How long to wait before the next try; zero when this one counted.</param>
    /// <returns>The session; null: refused.</returns>
    public AdminSession? SignIn(IPAddress? client, string offered, out string? secret, out TimeSpan wait)
    {
        secret = null;
        IPAddress key = client is null ? IPAddress.None : ClientKey.Of(client);
        lock (_gate)
        {
            wait = WaitOfLocked(key);
            if (wait > TimeSpan.Zero || !token.IsSame(offered))
            {
                return null;
            }

            _tries.Remove(key);
            secret = NewSecret();
            var session = new AdminSession(KeyOf(secret), NewSecret(),
                time.GetTimestamp() + (long)(Lifetime.TotalSeconds * time.TimestampFrequency));
            while (_sessions.Count >= MaxSessions)
            {
                _sessions.Remove(_sessions.Values.MinBy(one => one.EndsAt)!.Key);
            }

            _sessions.Add(session.Key, session);
            return session;
        }
    }

    /// <summary>The session of a cookie; null when there is none, or it has ended. What is compared is a digest.</summary>
    public AdminSession? Find(string? secret)
    {
        if (string.IsNullOrEmpty(secret))
        {
            return null;
        }

        lock (_gate)
        {
            if (_sessions.TryGetValue(KeyOf(secret), out AdminSession? session) && session.EndsAt <= time.GetTimestamp())
            {
                _sessions.Remove(session.Key);
                session = null;
            }

            return session;
        }
    }

    /// <summary>Ends a session.</summary>
    public void End(AdminSession session)
    {
        lock (_gate)
        {
            _sessions.Remove(session.Key);
        }
    }

    /// <summary>Does a change carry the session's CSRF token? Takes the same time wherever it differs.</summary>
    public static bool Proves(AdminSession session, string? csrf) =>
        csrf is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(csrf), Encoding.UTF8.GetBytes(session.Csrf));

    /// <summary>How long this address has to wait; if not at all, its try is counted.</summary>
    private TimeSpan WaitOfLocked(IPAddress key)
    {
        if (!_tries.ContainsKey(key) && _tries.Count >= MaxAddresses)
        {
            foreach ((IPAddress old, Queue<long> times) in _tries.ToArray())
            {
                if (time.GetElapsedTime(times.Last()) >= s_minute)
                {
                    _tries.Remove(old);
                }
            }

            if (_tries.Count >= MaxAddresses)
            {
                return s_minute;
            }
        }

        if (!_tries.TryGetValue(key, out Queue<long>? tries))
        {
            _tries[key] = tries = new Queue<long>();
        }

        while (tries.Count > 0 && time.GetElapsedTime(tries.Peek()) >= s_minute)
        {
            tries.Dequeue();
        }

        if (tries.Count >= MaxTries)
        {
            return s_minute - time.GetElapsedTime(tries.Peek());
        }

        tries.Enqueue(time.GetTimestamp());
        return TimeSpan.Zero;
    }

    private static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    private static string KeyOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
