using Breakwater.CacheStore.Disk;

namespace Breakwater.Proxy.Commands.Lab;

/// <summary>
/// The folder from which machines load their kernel: that of an image for any lab (<c>build.sh --user-data-key</c>) with a script that says
/// which system they boot.
/// </summary>
internal static class BootFolder
{
    /// <summary>Name of the iPXE script.</summary>
    public const string Script = "boot.ipxe";

    private static readonly string[] s_image = ["vmlinuz", "initrd.img"];

    /// <summary>What the image lacks. Null: nothing.</summary>
    public static string? Missing(string image)
    {
        string[] missing = [.. s_image.Where(name => !File.Exists(Path.Combine(image, name)))];
        return missing.Length == 0
            ? null
            : $"{image} has no {string.Join(" and no ", missing)}: "
                + $"'deployment/microvm/build.sh --user-data-key --out {image}' makes them in a checkout of the source.";
    }

    /// <summary>Copies kernel and initrd, and writes the script last. Each file is the old one or the new one, whole.</summary>
    public static void Fill(string folder, string image, string script)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in s_image)
        {
            using FileStream from = File.OpenRead(Path.Combine(image, name));
            string to = Path.Combine(folder, name);
            string half = to + ".new";
            using (FileStream file = File.Create(half))
            {
                from.CopyTo(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(half, to, overwrite: true);
        }

        WholeFile.Write(Path.Combine(folder, Script), System.Text.Encoding.ASCII.GetBytes(script), WholeFile.Readable);
    }

    /// <summary>The iPXE script. Machines ask the proxy as their server: it has the repository.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="proxy">Host and port of this proxy.</param>
    /// <param name="publicKey">The lab's key in PEM.</param>
    public static string ScriptFor(string fqrn, string proxy, string publicKey) => $"""
        #!ipxe
        # Written by 'breakwater lab up'. Plain HTTP authenticates nothing: whoever answers in place of this proxy boots the machines
        # (docs/operate/boot-a-lab.md has what to do where that matters).
        echo Booting {fqrn} from {proxy}
        kernel vmlinuz initrd=initrd.img console=tty0 console=ttyS0,115200 quiet {Words(fqrn, proxy, publicKey)} || goto failed
        initrd initrd.img || goto failed
        boot || goto failed

        :failed
        echo The kernel or its RAM disk could not be had; a shell instead of a loop.
        shell

        """;

    /// <summary>The words of the kernel command line, which the image's init reads.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="proxy">Host and port of this proxy.</param>
    /// <param name="publicKey">The lab's key in PEM.</param>
    /// <param name="tag">What is booted; empty: the newest revision.</param>
    public static string Words(string fqrn, string proxy, string publicKey, string tag = LabUpCommand.BootTag)
    {
        string key = string.Concat(publicKey.Split('\n').Where(line => !line.StartsWith('-')).Select(line => line.Trim()));
        return $"cvmfs_branch={fqrn} cvmfs_server={proxy} cvmfs_http_proxy=DIRECT cvmfs_tag={tag} cvmfs_key={key}";
    }
}
