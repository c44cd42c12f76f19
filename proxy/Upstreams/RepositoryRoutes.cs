using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Which repositories are allowed, and the cluster of each: an exact name wins, then the longest domain. Thread-safe; the table is replaced
/// whole.
/// </summary>
internal sealed class RepositoryRoutes(IReadOnlyDictionary<string, RepositoryOptions> repositories, Stratum1Directory directory)
{
    /// <summary>The cluster of repositories that seeds bring: no settings name one, so nobody is asked.</summary>
    public const string NoCluster = "seeds";

    private volatile Table _table = new(repositories, directory);
    private volatile FrozenDictionary<string, RepositoryRoute> _brought = FrozenDictionary<string, RepositoryRoute>.Empty;

    /// <summary>New settings are in force.</summary>
    public void Replace(IReadOnlyDictionary<string, RepositoryOptions> repositories) => _table = new Table(repositories, directory);

    /// <summary>Repositories that are allowed beside those of the settings, since seeds have brought them.</summary>
    public void Admit(IEnumerable<string> brought) =>
        _brought = brought.Distinct(StringComparer.Ordinal).ToFrozenDictionary(fqrn => fqrn, fqrn => new RepositoryRoute(fqrn, NoCluster));

    /// <summary>
    /// The pseudo-repository of <c>/cvmfs/info/…</c>: that of the cluster whose Stratum 1 the client named, else of the first cluster.
    /// </summary>
    public RepositoryRoute ForServerInfo(string? hint) => _table.ForServerInfo(hint);

    /// <summary>Finds the route of a repository. False: it is not allowed.</summary>
    /// <param name="fqrn">ASCII, at most 255 bytes.</param>
    /// <param name="route">The route.</param>
    public bool TryFind(ReadOnlySpan<byte> fqrn, [NotNullWhen(true)] out RepositoryRoute? route) =>
        _table.TryFind(fqrn, out route) || TryFindBrought(fqrn, out route);

    private bool TryFindBrought(ReadOnlySpan<byte> fqrn, [NotNullWhen(true)] out RepositoryRoute? route)
    {
        route = null;
        Span<char> name = stackalloc char[256];
        return _brought.Count > 0 && Encoding.ASCII.TryGetChars(fqrn, name, out int length)
            && _brought.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out route);
    }

    private sealed class Table
    {
        /// <summary>A client may ask for any name below an allowed domain: remember no more of them than a site can have.</summary>
        private const int MaxRemembered = 4096;

        private readonly Dictionary<string, RepositoryRoute> _exact = new(StringComparer.Ordinal);
        private readonly List<(string Suffix, RepositoryRoute Route)> _domains = [];
        private readonly ConcurrentDictionary<string, RepositoryRoute> _remembered = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, RepositoryRoute>.AlternateLookup<ReadOnlySpan<char>> _lookup;

        private readonly Stratum1Directory _directory;

        public Table(IReadOnlyDictionary<string, RepositoryOptions> repositories, Stratum1Directory directory)
        {
            _directory = directory;
            var marks = RepositoryOptions.SharesOf(repositories).ToDictionary(share => share.Name, share => share.Mark);
            foreach ((string pattern, RepositoryOptions options) in repositories)
            {
                RepositoryRoute route = new(pattern, options.Cluster!, marks.GetValueOrDefault(pattern));
                if (pattern.StartsWith("*.", StringComparison.Ordinal))
                {
                    _domains.Add((pattern[1..], route));
                }
                else
                {
                    _exact.Add(pattern, route);
                }
            }

            _domains.Sort((a, b) => b.Suffix.Length.CompareTo(a.Suffix.Length));
            _lookup = _remembered.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public RepositoryRoute ForServerInfo(string? hint)
        {
            string[] clusters =
                [.. _exact.Values.Concat(_domains.Select(d => d.Route)).Select(r => r.Cluster).Distinct(StringComparer.OrdinalIgnoreCase)
                    .OrderBy(cluster => cluster == RepositoryOptions.PublishedCluster)];
            return new RepositoryRoute("info", hint is null || clusters.Length == 0
                ? clusters.FirstOrDefault() ?? NoCluster
                : clusters.MinBy(c => _directory.Distance(c, hint))!);
        }

        public bool TryFind(ReadOnlySpan<byte> fqrn, [NotNullWhen(true)] out RepositoryRoute? route)
        {
            Span<char> name = stackalloc char[256];
            if (!Encoding.ASCII.TryGetChars(fqrn, name, out int length))
            {
                route = null;
                return false;
            }

            name = name[..length];
            if (_lookup.TryGetValue(name, out route))
            {
                return true;
            }

            string text = name.ToString();
            route = _exact.GetValueOrDefault(text);
            route ??= _domains.FirstOrDefault(d => text.Length > d.Suffix.Length && text.EndsWith(d.Suffix, StringComparison.Ordinal))
                .Route;
            if (route is null)
            {
                return false;
            }

            route = route with { Fqrn = text };
            if (_remembered.Count < MaxRemembered)
            {
                route = _remembered.GetOrAdd(text, route);
            }

            return true;
        }
    }
}
