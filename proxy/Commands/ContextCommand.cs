using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater context</c>: what to paste where, so that this site's VMs and nodes use this proxy.</summary>
internal static class ContextCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        Option<string[]> proxies =
            new("--proxy")
            {
                Description =
            "Proxy as VMs reach it; may be repeated. Default: ZeroTouch:Proxies, else this host's name with the port of Proxy:Listen",
                HelpName = "HOST:PORT"
            };
        proxies.Validators.Add(result =>
        {
            foreach (string wrong in result.Tokens.Select(t => t.Value).Where(p => !SettingsValidator.IsHostAndPort(p)))
            {
                result.AddError($"--proxy: '{wrong}' is not host:port, such as proxy1.example.org:3128, 10.0.0.5:3128 or [fd00::5]:3128.");
            }
        });
        Option<bool> noDirect =
            new("--no-direct")
            {
                Description =
            "Without ;DIRECT: VMs of this site cannot reach a Stratum 1 themselves. Always so with Proxy:Offline"
            };
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("context",
            "Print what makes VMs and worker nodes use this proxy: the Micro-CernVM user-data block, CernVM-FS client lines, DNS hints.") {
            SettingsFile.Option, proxies, noDirect, json };
        command.SetAction(parsed =>
        {
            BreakwaterSettings settings = SettingsFile.Read(parsed.GetValue(SettingsFile.Option)).Settings;
            string[] given = parsed.GetValue(proxies) ?? [];
            if (parsed.GetValue(json))
            {
                string[] named = ProxiesOf(settings, given);
                Output.WriteJson(new
                {
                    Proxies = named,
                    HttpProxy = GroupOf(named) + DirectOf(settings, parsed.GetValue(noDirect)),
                    PacUrls = PacOf(named),
                    Groups = GroupsOf(named).Select(group => new
                    {
                        HttpProxy = ListOf(group) + DirectOf(settings, parsed.GetValue(noDirect)),
                        PacUrls = PacOf(group),
                    }),
                });
                return;
            }

            Console.Out.Write(Text(settings, given, parsed.GetValue(noDirect)));
        });
        return command;
    }

    /// <summary>The text. Pure but for this host's name.</summary>
    public static string Text(BreakwaterSettings settings, string[] given, bool noDirect = false)
    {
        string[] proxies = ProxiesOf(settings, given);
        string host = proxies[0][..proxies[0].LastIndexOf(':')].Trim('[', ']');
        string record = IPAddress.TryParse(host, out IPAddress? address)
            ? (address.AddressFamily == AddressFamily.InterNetwork ? "A     " : "AAAA  ") + host
            : host.Contains('.', StringComparison.Ordinal) ? $"CNAME {host}."
            : $"CNAME {host}.example.org.   ; '{host}' is no full name: say --proxy with the one that VMs resolve";
        string group = GroupOf(proxies);
        string pac = PacOf(proxies);
        string direct = DirectOf(settings, noDirect);
        string advice = settings.Proxy.Offline
            ? "# Proxy:Offline: there is no way past this proxy, so nothing falls back to DIRECT."
            : "# ';DIRECT' is a way past this proxy. Where VMs cannot reach the Internet, say 'breakwater context --no-direct': a VM "
            + "that tries DIRECT there is lost.";
        advice = noDirect ? "# Nothing falls back to DIRECT: list every proxy that VMs may use." : advice;
        return $"""
            {advice}

            # 1. Micro-CernVM: put this block into the VM's user data.
            [ucernvm-begin]
            cvmfs_http_proxy={group}{direct}
            cvmfs_pac_urls={pac}
            [ucernvm-end]

            # 2. CernVM-FS on a worker node: append to /etc/cvmfs/default.local, then run 'cvmfs_config reload'.
            CVMFS_HTTP_PROXY="{group}{direct}"
            CVMFS_PAC_URLS="{pac}"
            #    A client follows the PAC file instead when the first line says CVMFS_HTTP_PROXY="auto{direct}".

            # 3. Zero touch: VMs without user data ask http://grid-wpad/wpad.dat, then http://wpad/wpad.dat, on port 80.
            #    In the site's DNS zone (and ZeroTouch:Listen = [::]:80 here):
            grid-wpad  IN {record}
            wpad       IN {record}
            {GroupLines(proxies, direct)}
            """;
    }

    private static string[] ProxiesOf(BreakwaterSettings settings, string[] given) =>
        given.Length > 0 ? given
        : settings.ZeroTouch.Proxies.Length > 0 ? settings.ZeroTouch.Proxies
        : [$"{FullName()}:{settings.Proxy.ListenEndPoints().First().Port}"];

    private static string GroupOf(string[] proxies) => string.Join('|', proxies.Select(p => $"http://{p}"));

    private static string PacOf(string[] proxies) => string.Join(';', proxies.Select(p => $"http://{p}/proxy.pac"));

    /// <summary>
    /// A group of clients for each proxy: its own first, then all others at random, so that those of a dead one are spread over all.
    /// </summary>
    private static IEnumerable<string[]> GroupsOf(string[] proxies) => proxies.Length == 1
        ? []
        : proxies.Select((_, i) => (string[])[.. proxies[i..], .. proxies[..i]]);

    private static string ListOf(string[] group) => $"http://{group[0]};{GroupOf(group[1..])}";

    private static string GroupLines(string[] proxies, string direct)
    {
        string[] lines = [.. GroupsOf(proxies).Index().Select(group =>
            $"""

            #    group {group.Index + 1}
            CVMFS_HTTP_PROXY="{ListOf(group.Item)}{direct}"
            CVMFS_PAC_URLS="{PacOf(group.Item)}"
            """)];
        return lines.Length == 0 ? "" : $"""

            # 4. {proxies.Length} proxies: the lines above let each client choose at random. Where you rather choose, put your clients into
            #    {proxies.Length} groups (a rack, a pool of VMs), and give each its own line; cvmfs_http_proxy takes the same list. In the
            #    PAC file the order is made for the address that asks.{string.Concat(lines)}

            """;
    }

    /// <summary>
    /// Where the site has no way out, a client that falls back to DIRECT hangs in time-outs, and does not come back for a day.
    /// </summary>
    private static string DirectOf(BreakwaterSettings settings, bool noDirect) => noDirect || settings.Proxy.Offline ? "" : ";DIRECT";

    /// <summary>This host's name with its domain, as far as the resolver knows it.</summary>
    private static string FullName()
    {
        string name = Dns.GetHostName();
        try
        {
            return Dns.GetHostEntry(name).HostName is { } full && full.StartsWith(name + ".", StringComparison.OrdinalIgnoreCase)
                ? full
                : name;
        }
        catch (SocketException)
        {
            return name;
        }
    }
}
