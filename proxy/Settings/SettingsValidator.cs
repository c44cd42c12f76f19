using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Requests;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Settings;

/// <summary>Checks settings against their ranges and against each other; collects every mistake.</summary>
internal static class SettingsValidator
{
    /// <summary>Adds a line to <paramref name="errors"/> for each mistake.</summary>
    public static void Check(BreakwaterSettings settings, IConfiguration configuration, List<string> errors)
    {
        errors.AddRange(configuration.AsEnumerable().Where(setting => setting.Value?.Contains('\0', StringComparison.Ordinal) == true)
            .Select(setting => $"{setting.Key}: there is a NUL character in it."));
        SettingBounds.Check(settings, errors);
        FullPaths.Check(settings, configuration, errors);
        CheckProxy(settings.Proxy, errors);
        CheckPorts(settings, errors);
        CheckNetworks(errors, "Access:Clients", settings.Access.EffectiveClients);
        CheckAdmin(settings.Admin, errors);
        CheckZeroTouch(settings.ZeroTouch, errors);
        CheckSnmp(settings.Snmp, errors);
        if (!string.IsNullOrEmpty(settings.Telemetry.OtlpEndpoint)
            && (!Uri.TryCreate(settings.Telemetry.OtlpEndpoint, UriKind.Absolute, out Uri? otlp) || otlp.Scheme is not ("http" or "https")))
        {
            errors.Add($"Telemetry:OtlpEndpoint: '{settings.Telemetry.OtlpEndpoint}' is not a URL such as http://collector:4317.");
        }

        CheckAccess(settings.Access, errors);
        HttpSections.Check(settings.Http, errors);
        CheckRepositories(settings, configuration, errors);
        DeclaredSections.Check(settings, errors);
        CheckClusters(configuration, errors);
        CheckNodes(settings.Cluster, configuration, errors);
        foreach (IConfigurationSection section in UpstreamTls.Sections(configuration))
        {
            UpstreamTls.Read(section, TimeProvider.System.GetUtcNow().UtcDateTime, errors);
        }

        LibrarySections.Check(configuration, errors);
    }

    private static void CheckAccess(AccessOptions access, List<string> errors)
    {
        CheckNetworks(errors, "Access:AllowedUpstreams", access.AllowedUpstreams);
        CheckHosts(errors, "Access:Destinations", access.Destinations);
        CheckHosts(errors, "Access:Connect", access.Connect);

        foreach ((string user, string password) in access.Users)
        {
            if (user.Length is 0 or > 255 || user.Contains(':', StringComparison.Ordinal) || !Access.ProxyUsers.IsValid(password))
            {
                errors.Add($"Access:Users:{user}: a name without ':' and a password, or 'sha256:' with the 64 hex digits of its digest.");
            }
        }
    }

    private static void CheckHosts(List<string> errors, string name, string[] patterns) =>
        errors.AddRange(patterns.Where(p => !Access.HostPatterns.TryParse(p, Access.DestinationAccess.DefaultPort, out _))
            .Select(p => $"{name}: '{p}' is not a host or domain with an optional port, such as www.example.org, *.example.org:8080."));

    private static void CheckProxy(ProxyOptions proxy, List<string> errors)
    {
        errors.AddRange(proxy.Listen.Where(listen => !IsEndPoint(listen)).Select(listen =>
            $"Proxy:Listen: '{listen}' is not an address with a port, such as [::]:3128, 0.0.0.0:3128 or 127.0.0.1:3128."));
        errors.AddRange(proxy.TlsListen.Where(listen => !IsEndPoint(listen)).Select(listen =>
            $"Proxy:TlsListen: '{listen}' is not an address with a port, such as [::]:3443."));
        if (proxy.TlsListen.Length > 0 != (proxy.TlsCertificate is { Length: > 0 }))
        {
            errors.Add(proxy.TlsListen.Length > 0
                ? "Proxy:TlsCertificate: with Proxy:TlsListen a PEM file with a certificate is needed."
                : "Proxy:TlsListen: with Proxy:TlsCertificate addresses to listen on are needed, such as [::]:3443.");
        }

        CheckCertificate("Proxy", proxy.TlsCertificate, proxy.TlsKey, errors);

        CheckNetworks(errors, "Proxy:ProxyProtocol", proxy.ProxyProtocol);
        CheckNetworks(errors, "Proxy:ForwardedFor", proxy.ForwardedFor);
        if (proxy.Name.Length is 0 or > 64 || !proxy.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_'))
        {
            errors.Add($"Proxy:Name: '{proxy.Name}' must be 1 to 64 letters, digits, '-', '.' or '_'.");
        }

        if (proxy.CongestionControl.Length > 15
            || !proxy.CongestionControl.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
        {
            errors.Add($"Proxy:CongestionControl: '{proxy.CongestionControl}' is not a name such as cubic or bbr (sysctl "
                + $"net.ipv4.tcp_available_congestion_control); empty for the system's.");
        }
    }

    /// <summary>The same address for two would be taken by the first, and the second would wait for it for ever.</summary>
    private static void CheckPorts(BreakwaterSettings settings, List<string> errors) =>
        errors.AddRange(settings.Proxy.Listen.Select(listen => ("Proxy:Listen", listen))
            .Concat(settings.Proxy.TlsListen.Select(listen => ("Proxy:TlsListen", listen)))
            .Append(("ZeroTouch:Listen", settings.ZeroTouch.Listen ?? "")).Append(("Admin:Listen", settings.Admin.Listen))
            .Append(("Cluster:Listen", settings.Cluster.IsOn ? settings.Cluster.Listen : ""))
            .Where(one => IsEndPoint(one.Item2)).GroupBy(one => IPEndPoint.Parse(one.Item2))
            .Where(same => same.Key.Port > 0 && same.Count() > 1)
            .Select(same =>
            $"{string.Join(" and ", same.Select(one => one.Item1).Distinct(StringComparer.Ordinal))}: {same.Key} is there "
            + $"{same.Count()} times."));

    private static void CheckNodes(ClusterOptions cluster, IConfiguration configuration, List<string> errors)
    {
        ClusterCheck.Check(cluster, configuration, errors);
        CheckNetworks(errors, "Cluster:AllowedNodes", cluster.AllowedNodes);
        if (!IsEndPoint(cluster.Listen))
        {
            errors.Add($"Cluster:Listen: '{cluster.Listen}' is not an address with a port, such as [::]:3129.");
        }
    }

    private static void CheckNetworks(List<string> errors, string name, string[] networks) =>
        errors.AddRange(networks.Select(network => (Text: network, Problem: Access.NetworkText.ProblemOf(network)))
            .Where(network => network.Problem is not null).Select(network => $"{name}: '{network.Text}' {network.Problem}"));

    private static void CheckZeroTouch(ZeroTouchOptions zeroTouch, List<string> errors)
    {
        if (!string.IsNullOrEmpty(zeroTouch.Listen) && (!IsEndPoint(zeroTouch.Listen)))
        {
            errors.Add($"ZeroTouch:Listen: '{zeroTouch.Listen}' is not an address with a port, such as [::]:80.");
        }

        errors.AddRange(zeroTouch.Proxies.Where(proxy => !IsHostAndPort(proxy))
            .Select(proxy => $"ZeroTouch:Proxies: '{proxy}' is not host:port, such as proxy1.example.org:3128."));
        errors.AddRange(zeroTouch.Proxies.GroupBy(proxy => proxy, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1)
            .Select(same => $"ZeroTouch:Proxies: '{same.Key}' is there {same.Count()} times."));
        CheckFolder("ZeroTouch:BootDirectory", zeroTouch.BootDirectory, "make it, or leave the setting empty.", errors);
    }

    private static void CheckSnmp(SnmpOptions snmp, List<string> errors)
    {
        CheckNetworks(errors, "Snmp:Clients", snmp.EffectiveClients);
        if (string.IsNullOrEmpty(snmp.Listen))
        {
            return;
        }

        if (!IsEndPoint(snmp.Listen))
        {
            errors.Add($"Snmp:Listen: '{snmp.Listen}' is not an address with a UDP port, such as 127.0.0.1:3401; empty for no SNMP.");
        }

        if (snmp.Community is not { Length: > 0 and <= 64 } || snmp.Community.Any(c => c is < '!' or > '~'))
        {
            errors.Add("Snmp:Community: with Snmp:Listen a community of 1 to 64 printable ASCII characters is needed; requests must name "
                + "it.");
        }
    }

    private static void CheckAdmin(AdminOptions admin, List<string> errors)
    {
        if (admin.Listen.Length > 0 && (!IsEndPoint(admin.Listen)))
        {
            errors.Add($"Admin:Listen: '{admin.Listen}' is not an address with a port, such as 127.0.0.1:9128; empty for no admin port.");
        }

        CheckCertificate("Admin", admin.TlsCertificate, admin.TlsKey, errors);
        CheckNetworks(errors, "Admin:Readers", admin.EffectiveReaders);
        errors.AddRange(admin.Hosts.Where(host => Uri.CheckHostName(host) is not UriHostNameType.Dns)
            .Select(host => $"Admin:Hosts: '{host}' is not a host name without port, such as proxy1.example.org."));
    }

    private static void CheckCertificate(string section, string? certificate, string? key, List<string> errors)
    {
        if (certificate is { Length: > 0 })
        {
            DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
            TlsFiles.Read(($"{section}:TlsCertificate", certificate), ($"{section}:TlsKey", key), now, errors);
        }
        else if (key is { Length: > 0 })
        {
            errors.Add($"{section}:TlsCertificate: the certificate of {section}:TlsKey belongs here.");
        }
    }

    private static void CheckPublished(string pattern, RepositoryOptions repository, List<string> errors)
    {
        if (pattern.StartsWith("*.", StringComparison.Ordinal))
        {
            errors.Add($"Repositories:{pattern}:Published: a domain is not published, its repositories are: give each by its full name.");
        }

        if (repository.Cluster is not null and not RepositoryOptions.PublishedCluster)
        {
            errors.Add($"Repositories:{pattern}:Cluster: what is published here has no Stratum 1s; leave out Cluster or Published.");
        }

        repository.Cluster = RepositoryOptions.PublishedCluster;
    }

    private static void CheckFolder(string setting, string? path, string remedy, List<string> errors)
    {
        try
        {
            if (!string.IsNullOrEmpty(path) && !NamedPath.IsFolder(path))
            {
                errors.Add($"{setting}: there is no folder '{path}'; {remedy}");
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            errors.Add($"{setting}: '{path}' cannot be looked at: {e.Message} The user of this process must be able to read it.");
        }
    }

    private static void CheckRepositories(BreakwaterSettings settings, IConfiguration configuration, List<string> errors)
    {
        const string Client = "Repositories:ConfigDirectory", Keys = "Repositories:KeysDirectory";
        CheckFolder(Client, configuration[Client], "make it, or leave the setting empty to read none.", errors);
        CheckFolder(Keys, configuration[Keys],
            $"nothing could be verified. Make it, or leave the setting out for {new TrustOptions().KeysDirectory}.", errors);

        // Without a network, seeds bring repositories with them.
        if (settings.Repositories.Count == 0 && !settings.Proxy.Offline)
        {
            errors.Add("Repositories: no repository is allowed, so nothing would be served. Add for example "
                + "Repositories:*.example.org:Cluster, or a name to Presets.");
        }

        DeclaredSections.InheritClusters(settings.Repositories);
        var clusters = ClusterSections.Of(configuration).Select(c => c.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach ((string pattern, RepositoryOptions repository) in settings.Repositories)
        {
            string name = pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern;
            if (!Fqrn.TryParse(name, out _) || !name.Contains('.', StringComparison.Ordinal))
            {
                errors.Add($"Repositories:{pattern}: a key is a repository's full name or a domain such as *.cern.ch.");
            }

            if (repository.Published)
            {
                CheckPublished(pattern, repository, errors);
            }
            else if (settings.Proxy.Offline && repository.Cluster is null)
            {
                repository.Cluster = "offline";
            }
            else if (repository.Cluster is null || !clusters.Contains(repository.Cluster))
            {
                errors.Add($"Repositories:{pattern}:Cluster: '{repository.Cluster}' is none of the clusters in ReverseProxy:Clusters "
                    + $"({string.Join(", ", clusters)}).");
            }
        }
    }

    private static void CheckClusters(IConfiguration configuration, List<string> errors)
    {
        foreach (IConfigurationSection cluster in ClusterSections.Of(configuration))
        {
            IConfigurationSection[] destinations = [.. ClusterSections.Stratum1s(cluster)];
            if (destinations.Length == 0)
            {
                errors.Add($"{cluster.Path}:Destinations: a cluster needs at least one Stratum 1.");
            }

            _ = ParentSettings.Read(cluster, errors);
            errors.AddRange(destinations.Where(d => !string.IsNullOrEmpty(d["Health"]) && !IsStratum1(d["Health"]))
                .Select(d => $"{d.Path}:Health: '{d["Health"]}' is not a URL such as http://cvmfs-stratum-one.cern.ch/."));
            foreach (IConfigurationSection destination in destinations.Where(d => !IsStratum1(d["Address"])))
            {
                errors.Add(
                    $"{destination.Path}:Address: '{ParentProxy.WithoutPassword(destination["Address"])}' is not a Stratum 1's root URL, "
                    + $"such as http://cvmfs-stratum-one.cern.ch/, https://host:8443/ "
                    + "or, for repositories at http://host/mirror/cvmfs/, http://host/mirror/.");
            }
        }
    }

    /// <summary>A root may have a path, of plain characters: it stands before each path that is asked for.</summary>
    private static bool IsStratum1(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
        && uri.Query.Length == 0 && uri.Fragment.Length == 0
        && uri.AbsolutePath.All(c => char.IsAsciiLetterOrDigit(c) || "/-._~".Contains(c, StringComparison.Ordinal))
        && !uri.AbsolutePath.Contains("//", StringComparison.Ordinal)
        && !address!.Contains("/../", StringComparison.Ordinal) && !address.TrimEnd('?', '#').EndsWith("/..", StringComparison.Ordinal);

    /// <summary>
    /// Is it a host name or an address (IPv6 in brackets) with a port? What looks like an IPv4 address must be one, and the labels of a
    /// name are those of DNS: it is put into files that others read.
    /// </summary>
    public static bool IsHostAndPort(string text) =>
        Authorities.IsValid(Encoding.UTF8.GetBytes(text)) && IsHost(text.AsSpan(0, Math.Max(0, text.LastIndexOf(':'))).ToString())
        && ushort.TryParse(text.AsSpan(text.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
        && port > 0 && text.Contains(':', StringComparison.Ordinal);

    private static bool IsHost(string host) => host.StartsWith('[')
        || (host.All(c => char.IsAsciiDigit(c) || c == '.')
            ? IPAddress.TryParse(host, out IPAddress? address) && address.ToString() == host
            : Array.TrueForAll(host.Split('.'), label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-'));

    /// <summary>An address and a port; without one, <c>::1</c> and <c>[::]</c> would be read as port 0.</summary>
    private static bool IsEndPoint(string text) =>
        IPEndPoint.TryParse(text, out IPEndPoint? endPoint)
        && (endPoint.Address.AddressFamily == AddressFamily.InterNetwork
        ? text == endPoint.ToString() // not 127.1:80, nor 010.0.0.1:80
        : text.Contains("]:", StringComparison.Ordinal));
}
