using System.CommandLine;
using System.Globalization;

namespace Breakwater.Proxy.Commands.Cluster;

/// <summary>
/// <c>breakwater cluster certificates</c>: the authority of a site and a certificate for each node, by which nodes know each other.
/// </summary>
internal static class ClusterCertificatesCommand
{
    private const int DefaultDays = 397;
    private const int MaxDays = 3650;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--directory")
        {
            Description = "Folder of the certificates: site-ca.pem, and NODE.pem for each node",
            HelpName = "DIR",
            DefaultValueFactory = _ => new DirectoryInfo("."),
        };
        var nodes = new Option<string[]>("--node")
        {
            Description = "A node's id, as its Cluster:Name has it; may be repeated",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        nodes.Validators.Add(result =>
        {
            foreach (string wrong in result.Tokens.Select(token => token.Value).Where(name => !SiteAuthority.IsNodeName(name)))
            {
                result.AddError($"--node: '{wrong}' is not 1 to 64 letters, digits, '-', '.' or '_', such as squid1 or breakwater-0.");
            }
        });
        var key = new Option<FileInfo?>("--authority-key")
        {
            Description = "The authority's private key, which may stay on another medium; default: site-ca.key in the folder",
            HelpName = "FILE",
        };
        var days = new Option<int>("--days")
        {
            Description = "How long new certificates of nodes are valid; those that have less than a third of it left are renewed",
            DefaultValueFactory = _ => DefaultDays,
        };
        days.Validators.Add(result =>
        {
            if (result.Tokens is [var token, ..]
                && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int given)
                && given is < 1 or > MaxDays)
            {
                result.AddError($"--days: {given} is outside 1 to {MaxDays}.");
            }
        });
        var renew = new Option<bool>("--renew") { Description = "Renew the named nodes' certificates whatever they have left" };
        var newAuthority = new Option<bool>("--new-authority")
        {
            Description = "Make a new authority beside the one that is there: nodes trust both, and their certificates are renewed after "
                + "all of them have the new site-ca.pem",
        };
        Option<bool> json = Output.JsonOption();
        var command = new Command("certificates",
            "Make the site's authority, once, and a certificate for each node; run it again to renew. Private keys are readable by their "
            + "owner alone.")
        {
            folder, nodes, key, days, renew, newAuthority, json,
        };
        command.SetAction(parsed => Run(
            new SiteAuthority(parsed.GetRequiredValue(folder).FullName, parsed.GetValue(key)?.FullName, TimeProvider.System),
            parsed.GetValue(nodes) ?? [], TimeSpan.FromDays(parsed.GetValue(days)), parsed.GetValue(renew), parsed.GetValue(newAuthority),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(SiteAuthority authority, string[] nodes, TimeSpan validity, bool renew, bool isNew, bool asJson)
    {
        List<WrittenCertificate> done = [authority.Prepare(isNew)];
        done.AddRange(nodes.Distinct(StringComparer.Ordinal).Select(node => authority.Issue(node, validity, renew)));
        if (asJson)
        {
            Output.WriteJson(done);
            return 0;
        }

        foreach (WrittenCertificate one in done)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{one.File}: {(one.IsNew ? "made" : "left as it is")}, valid until {one.ValidUntil:u}"));
        }

        if (isNew)
        {
            Console.WriteLine("Bring site-ca.pem to every node, then renew the nodes' certificates: --renew --node NAME ...");
        }

        if (done[0].IsNew)
        {
            Console.WriteLine($"{authority.KeyPath} can make a node of any machine: keep it away from the nodes, and a copy of it.");
        }

        return 0;
    }
}
