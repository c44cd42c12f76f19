using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Which repositories are allowed, and the cluster of each: an exact name wins, then the longest domain. Thread-safe; the table is replaced
/// whole.
/// </summary>
internal sealed class RepositoryRoutes(IReadOnlyDictionary<string, RepositoryOptions> repositories, Stratum1Directory directory)
{
    /// <summary>The cluster of repositories that seeds bring: no settings name one, so nobody is asked.</summary>
    public const string NoCluster = "seeds";

    private static readonly Fqrn s_serverInfo = Fqrn.Parse("info");

    private volatile Table _table = new(repositories, directory);
    private volatile FrozenDictionary<string, RepositoryRoute> _brought = FrozenDictionary<string, RepositoryRoute>.Empty;

    /// <summary>New settings are in force.</summary>
    public void Replace(IReadOnlyDictionary<string, RepositoryOptions> repositories) => _table = new Table(repositories, directory);

    /// <summary>Repositories that are allowed beside those of the settings, since seeds have brought them.</summary>
    public void Admit(IEnumerable<Fqrn> brought) =>
        _brought = brought.Distinct().ToFrozenDictionary(fqrn => fqrn.ToString(), fqrn => new RepositoryRoute(fqrn, NoCluster));

    /// <summary>
    /// The pseudo-repository of <c>/cvmfs/info/…</c>: that of the cluster whose Stratum 1 the client named, else of the first cluster.
    /// </summary>
    public RepositoryRoute ForServerInfo(string? hint) => _table.ForServerInfo(hint);

    /// <summary>Finds the route of a repository by the name that a client sent. False: it is not allowed.</summary>
    public bool TryFind(ReadOnlySpan<byte> fqrn, [NotNullWhen(true)] out RepositoryRoute? route)
    {
        Span<char> name = stackalloc char[Fqrn.MaxLength];
        route = null;
        return fqrn.Length <= name.Length && Encoding.ASCII.TryGetChars(fqrn, name, out int length) && TryFind(name[..length], out route);
    }

    /// <summary>Finds the route of a repository. False: it is not allowed.</summary>
    public bool TryFind(Fqrn fqrn, [NotNullWhen(true)] out RepositoryRoute? route) => TryFind(fqrn.ToString().AsSpan(), out route);

    private bool TryFind(ReadOnlySpan<char> name, [NotNullWhen(true)] out RepositoryRoute? route) =>
        _table.TryFind(name, out route)
        || (_brought.Count > 0 && _brought.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out route));

    /// <summary>Where the repositories of one pattern are had from.</summary>
    private readonly record struct Source(string Cluster, ushort Mark)
    {
        public RepositoryRoute RouteOf(Fqrn fqrn) => new(fqrn, Cluster, Mark);
    }

    private sealed class Table
    {
        /// <summary>A client may ask for any name below an allowed domain: remember no more of them than a site can have.</summary>
        private const int MaxRemembered = 4096;

        private readonly Dictionary<string, Source> _exact = new(StringComparer.Ordinal);
        private readonly List<(string Suffix, Source Source)> _domains = [];
        private readonly ConcurrentDictionary<string, RepositoryRoute> _remembered = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, RepositoryRoute>.AlternateLookup<ReadOnlySpan<char>> _lookup;

        private readonly Stratum1Directory _directory;

        public Table(IReadOnlyDictionary<string, RepositoryOptions> repositories, Stratum1Directory directory)
        {
            _directory = directory;
            var marks = RepositoryOptions.SharesOf(repositories).ToDictionary(share => share.Name, share => share.Mark);
            foreach ((string pattern, RepositoryOptions options) in repositories)
            {
                Source source = new(options.Cluster!, marks.GetValueOrDefault(pattern));
                if (pattern.StartsWith("*.", StringComparison.Ordinal))
                {
                    _domains.Add((pattern[1..], source));
                }
                else
                {
                    _exact.Add(pattern, source);
                }
            }

            _domains.Sort((a, b) => b.Suffix.Length.CompareTo(a.Suffix.Length));
            _lookup = _remembered.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public RepositoryRoute ForServerInfo(string? hint)
        {
            string[] clusters =
                [.. _exact.Values.Concat(_domains.Select(d => d.Source)).Select(s => s.Cluster).Distinct(StringComparer.OrdinalIgnoreCase)
                    .OrderBy(cluster => cluster == RepositoryOptions.PublishedCluster)];
            return new RepositoryRoute(s_serverInfo, hint is null || clusters.Length == 0
                ? clusters.FirstOrDefault() ?? NoCluster
                : clusters.MinBy(c => _directory.Distance(c, hint))!);
        }

        public bool TryFind(ReadOnlySpan<char> name, [NotNullWhen(true)] out RepositoryRoute? route)
        {
            if (_lookup.TryGetValue(name, out route))
            {
                return true;
            }

            string text = name.ToString();
            if (SourceOf(text) is not { } source || !Fqrn.TryParse(text, out Fqrn known))
            {
                return false;
            }

            route = source.RouteOf(known);
            if (_remembered.Count < MaxRemembered)
            {
                route = _remembered.GetOrAdd(text, route);
            }

            return true;
        }

        private Source? SourceOf(string name)
        {
            if (_exact.TryGetValue(name, out Source exact))
            {
                return exact;
            }

            foreach ((string suffix, Source source) in _domains)
            {
                if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
                {
                    return source;
                }
            }

            return null;
        }
    }
}
