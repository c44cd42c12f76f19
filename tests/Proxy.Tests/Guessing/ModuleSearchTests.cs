using Breakwater.CacheStore;
using Breakwater.Proxy.Guessing;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>Where the files of modules are found, in catalogs that a test writes.</summary>
public sealed class ModuleSearchTests : IDisposable
{
    private const string Tag = "cpython-311";

    private readonly WrittenTree _written = new();
    private readonly GuessTree _tree = new(new GuessLimits());

    public void Dispose()
    {
        _tree.Dispose();
        _written.Dispose();
    }

    /// <summary>A package is read before what is in it; compiled files before sources, sources before none.</summary>
    [Theory]
    [InlineData("ops", "lib/__pycache__/ops.cpython-311.pyc")]
    [InlineData("xml/dom", "lib/xml/__pycache__/__init__.cpython-311.pyc lib/xml/dom/__init__.py")]
    [InlineData("xml/sax", "")]
    [InlineData("plain", "lib/plain.py")]
    [InlineData("fast", "lib/fast.cpython-311-x86_64-linux-gnu.so")]
    [InlineData("stable", "lib/stable.abi3.so")]
    [InlineData("_struct", "lib/lib-dynload/_struct.cpython-311-aarch64-linux-gnu.so")]
    [InlineData("sys", "")]
    [InlineData("older", "")]
    public void NeedsOf_AModuleOfPython_AreItsFiles(string name, string files)
    {
        AddPython();

        Assert.Equal(Keys(files), Find("/bin/app", ModuleLanguage.Python, name));
    }

    /// <summary>A name beside the module may be meant or not; one directory further up it is not.</summary>
    [Fact]
    public void NeedsOf_AModuleInAPackage_AreFoundBesideItAndInTheLibrary()
    {
        AddPython();

        string own = "/lib/xml/__pycache__/__init__.cpython-311.pyc";
        Assert.Equal(Keys("lib/xml/dom/__init__.py"), Find(own, ModuleLanguage.Python, "dom"));
        Assert.Equal(Keys("lib/__pycache__/ops.cpython-311.pyc lib/xml/ops.py"), Find(own, ModuleLanguage.Python, "ops"));
        Assert.Equal(Keys("lib/__pycache__/ops.cpython-311.pyc"), Find("/lib/xml/dom/__init__.py", ModuleLanguage.Python, "ops"));
    }

    /// <summary>Once a module was found in a directory, others are found there from anywhere; packages are no such directories.</summary>
    [Fact]
    public void NeedsOf_AModuleElsewhere_IsFoundWhereOthersWere()
    {
        AddPython();
        Assert.Empty(_tree.NeedsOf("/opt/app.py", Python([], ["ops"])));

        Assert.Single(_tree.NeedsOf("/lib/ops.py", Python([], ["plain"])));
        List<Guess> guesses = _tree.NeedsOf("/lib/xml/x.py", Python([], ["dom", "ops"]));
        Assert.Equal(Keys("lib/xml/dom/__init__.py lib/__pycache__/ops.cpython-311.pyc lib/xml/ops.py"), Keys(guesses));
        Assert.All(guesses, guess => Assert.Equal(GuessRule.Module, guess.Rule));

        Assert.Equal(Keys("lib/__pycache__/ops.cpython-311.pyc"),
            _tree.NeedsOf("/opt/app.py", Python([], ["ops"])).Select(guess => guess.Key).ToHashSet());
        Assert.Empty(_tree.NeedsOf("/opt/app.py", Python([], ["dom"])));
    }

    /// <summary>From 3.11 on the interpreter holds some modules itself.</summary>
    [Theory]
    [InlineData("cpython-311", "posixpath", 0)]
    [InlineData("cpython-313", "posixpath", 0)]
    [InlineData("cpython-313", "plain", 1)]
    [InlineData("cpython-310", "posixpath", 1)]
    [InlineData("cpython-39", "posixpath", 1)]
    [InlineData("pypy", "posixpath", 1)]
    [InlineData(null, "posixpath", 1)]
    [InlineData("cpython-311", "importlib/util", 1)] // the package is a file
    [InlineData("cpython-310", "importlib/util", 2)]
    public void NeedsOf_AModuleInTheInterpreter_IsNotRead(string? tag, string name, int files)
    {
        Add("lib", "lib/posixpath.py", "lib/plain.py", "lib/importlib", "lib/importlib/__init__.py", "lib/importlib/util.py");

        Assert.Equal(files, _tree.NeedsOf("/lib/x.py", Of(new ModuleNeeds(ModuleLanguage.Python, [name], [], tag))).Count);
    }

    /// <summary>Of two systems with the same module each gets its own, also where links lead from the system's root.</summary>
    [Fact]
    public void NeedsOf_AModuleOfTwoSystems_IsThatOfTheOwn()
    {
        Assert.True(_tree.TryAdd(_written.Open("", new[] { "a", "b" }.SelectMany(system => new (string, string?, int)[]
        {
            (system, null, 0), ($"{system}/usr", null, 0), ($"{system}/etc", null, 0), ($"{system}/etc/site.py", null, 1),
            ($"{system}/usr/site.py", "/etc/site.py", 0), ($"{system}/usr/both.py", null, 1), ($"{system}/usr/app.py", null, 1),
        }))));

        foreach (string system in (string[])["a", "b", "a"])
        {
            ProgramNeeds needs = Of(new ModuleNeeds(ModuleLanguage.Python, ["both", "site"], [$"/{system}/usr"], null));
            Assert.Equal(Keys($"{system}/usr/both.py {system}/etc/site.py"), Keys(_tree.NeedsOf($"/{system}/usr/bin/app.py", needs)));
        }
    }

    /// <summary>Of directories where modules were found the newest sixteen are looked through.</summary>
    [Theory]
    [InlineData(16, 1)]
    [InlineData(17, 0)]
    public void NeedsOf_AModuleInManyDirectories_IsLookedForInTheNewest(int directories, int files)
    {
        Add("first", "first/m.py");
        _tree.NeedsOf("/x", Python(["/first", .. Enumerable.Range(1, directories - 1).Select(i => $"/d{i}")], []));

        Assert.Equal(files, _tree.NeedsOf("/y", Python([], ["m"])).Count);
    }

    [Fact]
    public void NeedsOf_AProgramWithLibraries_AreTheLoadersCacheToo()
    {
        Add("usr", "usr/bin", "usr/bin/app", "etc", "etc/ld.so.cache");

        Assert.Equal(Keys("etc/ld.so.cache"), Keys(_tree.NeedsOf("/usr/bin/app", new ProgramNeeds([], [], ["lost"], [], null))));
        Assert.Empty(_tree.NeedsOf("/usr/bin/app", new ProgramNeeds(["/lib/ld.so"], [], [], [], null)));
        Assert.Equal(WrittenTree.KeyOf("etc/ld.so.cache"), // before the libraries
            _tree.NeedsOf("/usr/bin/app", new ProgramNeeds([], [], ["app"], ["/usr/bin"], null))[0].Key);
    }

    [Fact]
    public void NeedsOf_AModuleOfPerl_IsItsFileAndItsLibrary()
    {
        Add("perl", "perl/strict.pm", "perl/File", "perl/File/Find.pm", "perl/auto", "perl/auto/POSIX", "perl/auto/POSIX/POSIX.so");
        ModuleNeeds needs = new(ModuleLanguage.Perl, ["strict", "File/Find", "auto/POSIX/POSIX", "Lost", "File/Lost"], ["/perl"], null);

        Assert.Equal(Keys("perl/strict.pm perl/File/Find.pm perl/auto/POSIX/POSIX.so"), Keys(_tree.NeedsOf("/bin/tool", Of(needs))));
        Assert.Equal(Keys("perl/strict.pm"), Find("/perl/File/Find.pm", ModuleLanguage.Perl, "strict"));
    }

    /// <summary>Perl's directories have an order, which is that in which they were found; but those of another system are behind.</summary>
    [Theory]
    [InlineData("/a/share/x.pm", "a/base/strict.pm")]
    [InlineData("/b/share/x.pm", "b/share/strict.pm")]
    public void NeedsOf_AModuleThatSeveralDirectoriesHave_IsThatOfTheFirstOfTheSystem(string path, string found)
    {
        Add("a", "a/etc", "a/etc/x", "a/base", "a/base/strict.pm", "a/share", "a/share/strict.pm", "b", "b/etc", "b/etc/x", "b/share",
            "b/share/strict.pm");
        _tree.NeedsOf("/x", Of(new ModuleNeeds(ModuleLanguage.Perl, [], ["/a/base", "/a/share", "/b/share"], null)));

        Assert.Equal(Keys(found), Keys(_tree.NeedsOf(path, Of(new ModuleNeeds(ModuleLanguage.Perl, ["strict"], [], null)))));
    }

    [Fact]
    public void NeedsOf_CommandsOfAScript_AreFoundBelowItsRoot()
    {
        Add("os", "os/usr", "os/usr/bin", "os/usr/bin/ls", "os/usr/bin/id", "usr", "usr/bin", "usr/bin/ls");
        ProgramNeeds needs = new([], [], [], [], null) { Words = ["ls", "/usr/bin/id", "lost"] };

        List<Guess> guesses = _tree.NeedsOf("/os/usr/bin/script", needs);

        Assert.Equal(Keys("os/usr/bin/ls os/usr/bin/id"), Keys(guesses));
        Assert.All(guesses, guess => Assert.Equal(GuessRule.Command, guess.Rule));
    }

    /// <summary>What a new catalog shows is seen, also in directories that were listed before.</summary>
    [Fact]
    public void NeedsOf_AfterANewCatalog_FindWhatItHas()
    {
        Add("lib", "lib/a.py");
        Assert.Empty(Find("/lib/a.py", ModuleLanguage.Python, "b"));

        Add("lib", "lib/a.py", "lib/b.py");

        Assert.Equal(Keys("lib/b.py"), Find("/lib/a.py", ModuleLanguage.Python, "b"));
    }

    /// <summary>A module may name as many as it likes, in directories as large as they like: what is looked up is bounded.</summary>
    [Fact]
    public void NeedsOf_ManyNamesInLargeDirectories_LookUpABoundedNumberOfNames()
    {
        GuessLimits limits = new() { LookUps = 1200, LookUpsOfProgram = 500, ListedChars = 8000 };
        using GuessTree tree = new(limits);
        Assert.True(tree.TryAdd(_written.Open("",
            Enumerable.Range(0, 40).SelectMany(d => Enumerable.Range(0, 300).Select(i => ($"d{d}/m{i}.py", (string?)null, 1))
                .Prepend(($"d{d}", null, 0))))));
        string[] names = [.. Enumerable.Range(0, 40).SelectMany(d => new[] { $"d{d}/lost", $"d{d}/m1" })];

        Assert.NotEmpty(tree.NeedsOf("/x.py", Python([""], names)));
        Assert.InRange(tree.LookUps, limits.LookUpsOfProgram, limits.LookUpsOfProgram + 20); // the last directory is read to its end
        for (int i = 0; i < 20; i++)
        {
            tree.NeedsOf("/x.py", Python([""], names));
        }

        Assert.InRange(tree.LookUps, limits.LookUps, limits.LookUps + 20);
    }

    private void AddPython() => Add(
        "lib", "lib/__pycache__", $"lib/__pycache__/ops.{Tag}.pyc", "lib/__pycache__/older.cpython-310.pyc", "lib/ops.py", "lib/plain.py",
        $"lib/fast.{Tag}-x86_64-linux-gnu.so", "lib/stable.abi3.so", "lib/lib-dynload",
        $"lib/lib-dynload/_struct.{Tag}-aarch64-linux-gnu.so", "lib/xml", "lib/xml/__init__.py", "lib/xml/__pycache__",
        $"lib/xml/__pycache__/__init__.{Tag}.pyc", "lib/xml/ops.py", "lib/xml/dom", "lib/xml/dom/__init__.py");

    /// <summary>Paths whose last name has a dot, or no path below them, are files.</summary>
    private void Add(params string[] paths) => Assert.True(_tree.TryAdd(_written.Open("", paths.Select(path =>
        (path, (string?)null, paths.Any(other => other.StartsWith(path + "/", StringComparison.Ordinal)) ? 0 : 1)))));

    private HashSet<ObjectKey> Find(string path, ModuleLanguage language, string name) =>
        Keys(_tree.NeedsOf(path, Of(new ModuleNeeds(language, [name], language == ModuleLanguage.Python ? ["/lib"] : [], Tag))));

    private static ProgramNeeds Python(string[] roots, string[] names) => Of(new ModuleNeeds(ModuleLanguage.Python, names, roots, Tag));

    private static ProgramNeeds Of(ModuleNeeds modules) => new([], [], [], [], null) { Modules = modules };

    private static HashSet<ObjectKey> Keys(IEnumerable<Guess> guesses) => [.. guesses.Select(guess => guess.Key)];

    private static HashSet<ObjectKey> Keys(string files) =>
        [.. files.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(WrittenTree.KeyOf)];
}
